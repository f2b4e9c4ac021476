// A batch norm with its activation and, where its windows cover the image, its pooling.
//
// In training it needs mean and variance over the whole batch, and on the way back two sums more:
// the chain calls `measure` for every slot, `reduce` once a thread, and when all threads are there
// `conclude`; `forward` then is a line a channel, scale * x + shift. The way back likewise.
#pragma once

#include <cmath>

#include "activations.h"

class BatchNorm final : public Stage {
 public:
  BatchNorm(Grid in_, Grid out_, Activation activation, Pooling pooling, int window_y, int window_x,
            float epsilon, float momentum)
      : pooling_(pooling), window_y_(window_y), window_x_(window_x), momentum_(momentum) {
    in = in_;
    out = out_;
    batchwise = true;
    places_ = in.height * in.width;
    const bool border = in.border_y || in.border_x;  // a padded convolution reads the same
    rows_ = border ? in.height : 1;
    along_ = places_ / rows_;
    window_rows_ = border ? window_y : 1;
    functions_ = choose_functions(activation, pooling, window_y, window_x);
    // Features without a place: the channels are one row.
    row_of_channels_ = places_ == 1 && in.plane() == 1 && out.plane() == 1;
    answer_lines_ = Buffer<float>(2 * in.channels);
    parameters.runs = true;
    parameters.epsilon = epsilon;
    parameters.weight_count = parameters.bias_count = in.channels;
  }

  void allocate(Room& room, int slots) const override {
    room.kept = Buffer<Vector>(slots * kept_size());
    room.channel_sums = Buffer<Vector>(2 * in.channels);
    room.channel_moments = Buffer<double>(kMoments * in.channels);
    room.channel_lines = Buffer<float>(kLines * in.channels);
  }

  long scratch() const override {
    return row_of_channels_ ? in.channels : static_cast<long>(window_y_) * in.width;
  }

  // For answers, which go by the running statistics.
  void pack(int part, int, bool training) override {
    if (part || training) return;
    for (int c = 0; c < in.channels; c++) {
      const float scale = weight(c) / std::sqrt(parameters.running[1][c] + parameters.epsilon);
      scales()[c] = scale;
      shifts()[c] = bias(c) - parameters.running[0][c] * scale;
    }
  }
  // Of an answer's line.
  float* scales() const { return answer_lines_.get(); }
  float* shifts() const { return answer_lines_.get() + in.channels; }

  void forward(Thread& thread, int slot, int, bool training) const override {
    const Vector* from = input(thread, slot);
    Vector* sums = thread.scratch.get();
    Vector* to = output(thread, slot);
    const float* scale = training ? line(thread, kScale) : scales();
    const float* shift = training ? line(thread, kShift) : shifts();
    if (row_of_channels_) {
      for (int c = 0; c < in.channels; c++) sums[c] = from[c] * scale[c] + shift[c];
      functions_.forward({sums, 0, 1, 1, in.channels, to, nullptr, 0});
      return;
    }
    const int row = window_y_ / window_rows_ * in.width;
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < out.height; y++) {
        for (int part = 0; part < window_rows_; part++) {
          const Vector* x = from + in.at(c, y * window_y_ + part, 0);
          Vector* values = sums + part * in.width;
          for (int i = 0; i < row; i++) values[i] = x[i] * scale[c] + shift[c];
        }
        const bool keeps = training && pooling_ != Pooling::kNone;
        functions_.forward({sums, in.width, window_y_, window_x_, out.width, to + out.at(c, y, 0),
                            keeps ? kept(thread, slot, c, y) : nullptr, in.width});
      }
    }
  }

  void begin(Thread& thread) const override { clear_sums(thread); }

  // Adds a slot's numbers to each channel's sums of x - origin and of its square. The origin is
  // the first slot's mean, which is near the batch's: the square of what is left of it is small.
  void measure(Thread& thread, int slot) const {
    const Vector* from = input(thread, slot);
    Vector* sums = thread.rooms[index].channel_sums.get();
    float* origins = line(thread, kOrigin);
    const IntVector there = first_lanes(thread.images(slot));
    for (int c = 0; c < in.channels; c++) {
      if (slot == 0) origins[c] = mean_of(from, c, there, thread.images(0));
      const float origin = origins[c];
      Vector total{}, more{}, squares{}, more_squares{};  // two chains of sums hide their latency
      for (int row = 0; row < rows_; row++) {
        const Vector* x = from + in.at(c, row, 0);
        int i = 0;
        for (; i + 1 < along_; i += 2) {
          const Vector d = x[i] - origin, e = x[i + 1] - origin;
          total += d;
          more += e;
          squares += d * d;
          more_squares += e * e;
        }
        if (i < along_) {
          const Vector d = x[i] - origin;
          total += d;
          squares += d * d;
        }
      }
      sums[2 * c] += there ? total + more : Vector{};
      sums[2 * c + 1] += there ? squares + more_squares : Vector{};
    }
  }

  // Makes of this thread's sums its mean, and its sum of squares around it.
  void reduce(Thread& thread) const {
    const Vector* sums = thread.rooms[index].channel_sums.get();
    double* moments = thread.rooms[index].channel_moments.get();
    const double count = count_of(thread);
    for (int c = 0; c < in.channels; c++, moments += kMoments) {
      const double total = exact_sum(sums[2 * c]), squares = exact_sum(sums[2 * c + 1]);
      moments[0] = line(thread, kOrigin)[c] + total / count;
      moments[1] = std::max(0.0, squares - total * total / count);
    }
    clear_sums(thread);  // they serve the way back next
  }

  // Finds the lines of a batch, from what all threads have; the same numbers in each of them.
  void conclude(const std::vector<std::unique_ptr<Thread>>& threads, int parts, Thread& own) const {
    for (int c = 0; c < in.channels; c++) {
      double count = 0, mean = 0, squares = 0;
      for (int t = 0; t < parts; t++) {  // Chan, Golub and LeVeque (1979)
        const double* moments = moments_of(*threads[t], c);
        const double more = count_of(*threads[t]), distance = moments[0] - mean;
        mean += distance * more / (count + more);
        squares += moments[1] + distance * distance * count * more / (count + more);
        count += more;
      }
      const double slope = 1 / std::sqrt(squares / count + parameters.epsilon);
      line(own, kMean)[c] = static_cast<float>(mean);
      line(own, kSlope)[c] = static_cast<float>(slope);
      line(own, kVariance)[c] = static_cast<float>(squares / std::max(1.0, count - 1));
      line(own, kScale)[c] = static_cast<float>(weight(c) * slope);
      line(own, kShift)[c] = static_cast<float>(bias(c) - mean * weight(c) * slope);
    }
  }

  // Moves the running statistics towards the batch's; its variance is the unbiased one.
  void run_on(Thread& thread) const {
    for (int c = 0; c < in.channels; c++) {
      float& mean = parameters.running[0][c];
      float& variance = parameters.running[1][c];
      mean = (1 - momentum_) * mean + momentum_ * line(thread, kMean)[c];
      variance = (1 - momentum_) * variance + momentum_ * line(thread, kVariance)[c];
    }
  }

  // Adds a slot's gradients by what the line gives, and their products with x - mean.
  void measure_back(Thread& thread, int slot) const {
    const Vector* from = input(thread, slot);
    Vector* sums = thread.rooms[index].channel_sums.get();
    const float* mean = line(thread, kMean);
    each_row(thread, slot, [&](int c, int at, const Vector* deltas, int count, const Vector& total) {
      Vector products{}, more{};
      int i = 0;
      for (; i + 1 < count; i += 2) {
        products += deltas[i] * (from[at + i] - mean[c]);
        more += deltas[i + 1] * (from[at + i + 1] - mean[c]);
      }
      if (i < count) products += deltas[i] * (from[at + i] - mean[c]);
      sums[2 * c] += total;
      sums[2 * c + 1] += products + more;
    });
  }

  void reduce_back(Thread& thread) const {
    const Vector* sums = thread.rooms[index].channel_sums.get();
    double* moments = thread.rooms[index].channel_moments.get() + 2;
    for (int c = 0; c < in.channels; c++, moments += kMoments) {
      moments[0] = exact_sum(sums[2 * c]);
      moments[1] = exact_sum(sums[2 * c + 1]);
    }
  }

  void conclude_back(const std::vector<std::unique_ptr<Thread>>& threads, int parts,
                     Thread& own) const {
    double count = 0;
    for (int t = 0; t < parts; t++) count += count_of(*threads[t]);
    for (int c = 0; c < in.channels; c++) {
      double total = 0, products = 0;
      for (int t = 0; t < parts; t++) {
        total += moments_of(*threads[t], c)[2];
        products += moments_of(*threads[t], c)[3];
      }
      const double scale = line(own, kScale)[c], slope = line(own, kSlope)[c];
      line(own, kBackScale)[c] = static_cast<float>(-scale * slope * slope * products / count);
      line(own, kBackShift)[c] = static_cast<float>(-scale * total / count);
    }
  }

  void backward(Thread& thread, int slot, int) const override {
    if (first) return;
    const Vector* from = input(thread, slot);
    Vector* to = gradient(thread, slot);
    const float *scale = line(thread, kScale), *mean = line(thread, kMean);
    const float *product = line(thread, kBackScale), *shift = line(thread, kBackShift);
    const IntVector there = first_lanes(thread.images(slot));
    each_row(thread, slot, [&](int c, int at, const Vector* deltas, int count, const Vector&) {
      for (int i = 0; i < count; i++) {
        const Vector change =
            deltas[i] * scale[c] + ((from[at + i] - mean[c]) * product[c] + shift[c]);
        to[at + i] = there ? change : Vector{};
      }
    });
  }

  void end(Thread& thread) const override {
    for (int c = 0; c < in.channels; c++) {
      const double* moments = moments_of(thread, c);
      thread.gradient.get()[parameters.bias_at + c] = static_cast<float>(moments[2]);
      thread.gradient.get()[parameters.weight_at + c] =
          static_cast<float>(moments[3] * line(thread, kSlope)[c]);
    }
  }

 private:
  enum Line { kOrigin, kMean, kSlope, kVariance, kScale, kShift, kBackScale, kBackShift, kLines };
  static constexpr int kMoments = 4;  // mean, squares around it; gradients, their products

  RowFunctions functions_;
  Pooling pooling_;
  int window_y_, window_x_, places_;
  int rows_, along_;  // stretches without a gap that a channel's numbers lie in, and their length
  int window_rows_;   // how many of them a row of windows lies in
  float momentum_;
  bool row_of_channels_;
  Buffer<float> answer_lines_;

  float weight(int c) const { return parameters.weight ? parameters.weight[c] : 1.f; }
  float bias(int c) const { return parameters.bias ? parameters.bias[c] : 0.f; }
  double count_of(const Thread& thread) const {
    return static_cast<double>(thread.last - thread.first) * places_;
  }
  float* line(Thread& thread, Line which) const {
    return thread.rooms[index].channel_lines.get() + which * in.channels;
  }
  const double* moments_of(const Thread& thread, int c) const {
    return thread.rooms[index].channel_moments.get() + kMoments * c;
  }
  void clear_sums(Thread& thread) const {
    std::memset(thread.rooms[index].channel_sums.get(), 0, 2 * in.channels * sizeof(Vector));
  }

  long kept_plane() const {
    return pooling_ == Pooling::kMax ? out.height * out.width : in.height * in.width;
  }
  long kept_size() const {
    return pooling_ == Pooling::kNone ? 0 : (in.channels * kept_plane()) | 1;
  }
  Vector* kept(Thread& thread, int slot, int c, int y) const {
    const long row = pooling_ == Pooling::kMax ? out.width : window_y_ * in.width;
    return thread.rooms[index].kept.get() + slot * kept_size() + c * kept_plane() + y * row;
  }

  static IntVector first_lanes(int count) {
    IntVector lanes;
    for (int lane = 0; lane < kLanes; lane++) lanes[lane] = lane < count ? -1 : 0;
    return lanes;
  }
  static double exact_sum(const Vector& value) {
    double total = 0;
    for (int lane = 0; lane < kLanes; lane++) total += value[lane];
    return total;
  }
  float mean_of(const Vector* from, int c, const IntVector& there, int images) const {
    Vector total{};
    for (int row = 0; row < rows_; row++) {
      const Vector* x = from + in.at(c, row, 0);
      for (int i = 0; i < along_; i++) total += x[i];
    }
    return static_cast<float>(exact_sum(there ? total : Vector{}) / (double{1} * images * places_));
  }

  // Calls act(channel, where its numbers lie, gradients by the line's values, how many, their total)
  // for every channel and row of windows.
  template <typename Act>
  void each_row(Thread& thread, int slot, Act&& act) const {
    Vector* deltas = thread.scratch.get();
    const Vector *from = given(thread, slot), *value = output(thread, slot);
    if (row_of_channels_) {
      functions_.backward({from, value, nullptr, 0, 1, 1, in.channels, deltas, 0});
      for (int c = 0; c < in.channels; c++) act(c, c, deltas + c, 1, deltas[c]);
      return;
    }
    const int row = window_y_ / window_rows_ * in.width;
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < out.height; y++) {
        const long there = out.at(c, y, 0);
        const Vector* kept_ = pooling_ == Pooling::kNone ? nullptr : kept(thread, slot, c, y);
        const Vector total = functions_.backward({from + there, value + there, kept_, in.width,
                                                  window_y_, window_x_, out.width, deltas,
                                                  in.width});
        for (int part = 0; part < window_rows_; part++) {
          act(c, in.at(c, y * window_y_ + part, 0), deltas + part * in.width, row,
              part ? Vector{} : total);
        }
      }
    }
  }
};
