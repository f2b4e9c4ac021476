// A convolution with its activation and, where its windows do not overlap, its pooling.
#pragma once

#include "activations.h"
#include "shape.h"
#include "tiles.h"

class Convolution final : public Stage {
 public:
  // window_y and window_x are the pooling's, 1 without.
  Convolution(Grid in_, Grid out_, Shape shape, Activation activation, Pooling pooling,
              int window_y, int window_x)
      : shape_(shape), window_y_(window_y), window_x_(window_x) {
    in = in_;
    out = out_;
    height_ = out.height * window_y;
    width_ = out.width * window_x;
    functions_ = choose_functions(activation, pooling, window_y, window_x);
    pooling_ = pooling;
    inputs_ = in.channels / shape.groups;
    outputs_ = out.channels / shape.groups;
    choose_parts();
    plain = activation == Activation::kNone && pooling == Pooling::kNone;
    as_they_are_ = plain && !out.flat && !out.border_y && !out.border_x;
    find_taps();
    const long count = static_cast<long>(out.channels) * taps_.size();
    packed_ = Buffer<float>(count);
    turned_ = Buffer<float>(count);
    bias_ = Buffer<float>(out.channels);
    parameters.weight_count = count;
    parameters.bias_count = out.channels;
  }

  void allocate(Room& room, int slots) const override {
    room.kept = Buffer<Vector>(slots * kept_size());
    if (pooling_ != Pooling::kAverage && !as_they_are_) {
      room.deltas = Buffer<Vector>(static_cast<std::size_t>(out.channels) * deltas_plane());
    }
    room.weights = Buffer<Vector>(parameters.weight_count);
    room.biases = Buffer<Vector>(out.channels);
  }

  long scratch() const override { return static_cast<long>(kMostOutputs) * window_y_ * width_; }

  void begin(Thread& thread) const override {
    Room& room = thread.rooms[index];
    std::memset(room.weights.get(), 0, parameters.weight_count * sizeof(Vector));
    std::memset(room.biases.get(), 0, out.channels * sizeof(Vector));
  }

  void end(Thread& thread) const override {
    const Room& room = thread.rooms[index];
    float* weight = thread.gradient.get() + parameters.weight_at;
    float* bias = thread.gradient.get() + parameters.bias_at;
    for (long i = 0; i < parameters.weight_count; i++) weight[i] = sum(room.weights.get()[i]);
    for (int o = 0; o < out.channels; o++) bias[o] = bias_learns() ? sum(room.biases.get()[o]) : 0;
  }

  void pack(int part, int parts, bool training) override {
    if (part == 0 && parameters.bias) std::copy_n(parameters.bias, out.channels, bias_.get());
    for (std::size_t i = part; i < tiles_.outputs.size(); i += parts) {
      const Part& outputs = tiles_.outputs[i];
      pack_kernel(parameters.weight, shape_, inputs_, outputs,
                  packed_.get() + outputs.first * static_cast<long>(taps_.size()));
    }
    if (!training || first) return;
    for (std::size_t i = part; i < back_tiles_.outputs.size(); i += parts) {
      pack_inputs(back_tiles_.outputs[i]);
    }
  }

  void forward(Thread& thread, int slot, int, bool training) const override {
    for (int y = 0; y < out.height; y++) {
      for (const Part& outputs : tiles_.outputs) forward_rows(thread, slot, y, outputs, training);
    }
  }

  void backward(Thread& thread, int slot, int) const override {
    for (const Part& rows : split(out.height, rows_at_once())) {
      find_deltas(thread, slot, rows);
      add_weights(thread, slot, rows.first * window_y_, (rows.first + rows.count) * window_y_);
    }
    if (!first) {
      for (int y = 0; y < in.height; y++) backward_row(thread, slot, y);
    }
  }

 private:
  Shape shape_;
  int inputs_, outputs_;  // channels of a group
  int window_y_, window_x_;
  int height_, width_;  // of the sums before pooling; what no window covers is not computed
  RowFunctions functions_;
  Pooling pooling_;
  bool as_they_are_;  // whether sums are what it gives, and gradients by them what is given
  Tiles tiles_, back_tiles_, weight_tiles_;  // no part lies in two groups
  std::vector<int32_t> taps_;       // bytes, in the order kernel row, channel, kernel column
  std::vector<int32_t> back_taps_;  // bytes, in the order of `order_`, then output
  std::vector<int> order_;   // kernel rows, those whose places are alike by the stride together
  std::vector<int> starts_;  // where those of each residue begin in `order_`, and the end
  Buffer<float> packed_, turned_;   // the weights for forward and backward
  Buffer<float> bias_;

  // What is kept lies output by output: of an average all slopes, of a maximum a place each.
  int plane() const { return (height_ * width_) | 1; }
  long kept_plane() const { return pooling_ == Pooling::kMax ? out.height * out.width : plane(); }
  long kept_size() const {
    return pooling_ == Pooling::kNone ? 0 : out.channels * kept_plane() | 1;
  }
  Vector* kept(Thread& thread, int slot) const {
    return thread.rooms[index].kept.get() + slot * kept_size();
  }
  // The gradients of the sums take the place of slopes that are kept; else, where no gradient by
  // the input is asked for, there is room for the rows at hand alone. Row 0 lies at the start.
  int deltas_plane() const {
    if (pooling_ == Pooling::kAverage || as_they_are_ || !first) return plane();
    return std::min(height_, rows_at_once() * window_y_) * width_ | 1;
  }
  const Vector* deltas(Thread& thread, int slot, int first_row) const {
    return as_they_are_ ? given(thread, slot) : own_deltas(thread, slot, first_row);
  }
  Vector* own_deltas(Thread& thread, int slot, int first_row) const {
    if (pooling_ == Pooling::kAverage) return kept(thread, slot);
    return thread.rooms[index].deltas.get() - (first ? static_cast<long>(first_row) * width_ : 0);
  }

  void choose_parts() {
    tiles_ = choose_tiles(outputs_, width_);
    back_tiles_ = choose_tiles(inputs_, width_);
    weight_tiles_ = choose_tiles(outputs_, shape_.dilation_x > 1 ? 1 : shape_.kernel_x, outer_fits);
    if (shape_.dilation_x > 1) weight_tiles_.along = split(shape_.kernel_x, 1);  // none is a neighbour
    tiles_.outputs = repeat(tiles_.outputs, shape_.groups, outputs_);
    back_tiles_.outputs = repeat(back_tiles_.outputs, shape_.groups, inputs_);
    weight_tiles_.outputs = repeat(weight_tiles_.outputs, shape_.groups, outputs_);
  }

  // How many rows of sums a kernel row lies below the first of its residue.
  int below(int ky) const { return ky * shape_.dilation_y / shape_.stride_y; }

  void find_taps() {
    constexpr long size = sizeof(Vector);
    taps_ = kernel_taps(shape_, inputs_, in.plane() * size, in.row() * size, size);
    for (int residue = 0; residue < shape_.stride_y; residue++) {
      starts_.push_back(static_cast<int>(order_.size()));
      for (int ky = 0; ky < shape_.kernel_y; ky++) {
        if (ky * shape_.dilation_y % shape_.stride_y != residue) continue;
        order_.push_back(ky);
        for (int o = 0; o < outputs_; o++) {
          const long at = static_cast<long>(o) * plane() - static_cast<long>(below(ky)) * width_;
          back_taps_.push_back(static_cast<int32_t>(at * static_cast<long>(sizeof(Vector))));
        }
      }
    }
    starts_.push_back(static_cast<int>(order_.size()));
  }

  // For the gradient by the input: kernel column, part of the input's channels, kernel row, output.
  float* turned(int kx, int channel) const {
    const long block = static_cast<long>(shape_.kernel_y) * outputs_;
    return turned_.get() + (static_cast<long>(kx) * in.channels + channel) * block;
  }

  void pack_inputs(const Part& channels) {
    const int kernel = shape_.kernel_y * shape_.kernel_x, group = channels.first / inputs_;
    for (int kx = 0; kx < shape_.kernel_x; kx++) {
      float* to = turned(kx, channels.first);
      for (int ky : order_) {
        for (int o = group * outputs_; o < (group + 1) * outputs_; o++) {
          for (int q = 0; q < channels.count; q++) {
            const long row = static_cast<long>(o) * inputs_ + channels.first % inputs_ + q;
            *to++ = parameters.weight[row * kernel + ky * shape_.kernel_x + kx];
          }
        }
      }
    }
  }

  // One row of outputs after pooling, of some channels.
  void forward_rows(Thread& thread, int slot, int row, const Part& outputs, bool training) const {
    Vector* sums = as_they_are_ ? output(thread, slot) + out.at(outputs.first, row, 0)
                                : thread.scratch.get();
    const long sums_output = as_they_are_ ? out.plane() : static_cast<long>(window_y_) * width_;
    const float* packed = packed_.get() + outputs.first * static_cast<long>(taps_.size());
    const Vector* input_ = input(thread, slot);
    const int channel = outputs.first / outputs_ * inputs_;
    for (int i = 0; i < window_y_; i++) {
      const int top = (row * window_y_ + i) * shape_.stride_y - shape_.padding_y;
      const Part inside = taps_inside(shape_, inputs_, in.height, top);
      for (const Part& along : tiles_.along) {
        const int left = along.first * shape_.stride_x - shape_.padding_x;
        correlate_tile(outputs.count, along.count, shape_.stride_x == 1, false)(
            {packed + static_cast<long>(inside.first) * outputs.count, outputs.count,
             input_ + in.at(channel, top, left), taps_.data() + inside.first, inside.count,
             shape_.stride_x, bias_.get() + outputs.first, sums + i * width_ + along.first,
             sums_output, 1});
      }
    }
    for (int q = 0; q < outputs.count && !as_they_are_; q++) {
      const int o = outputs.first + q;
      const bool keeps = training && pooling_ != Pooling::kNone;
      const long row_kept = pooling_ == Pooling::kMax ? static_cast<long>(row) * out.width
                                                      : static_cast<long>(row) * window_y_ * width_;
      functions_.forward({sums + static_cast<long>(q) * window_y_ * width_, width_, window_y_,
                          window_x_, out.width, output(thread, slot) + out.at(o, row, 0),
                          keeps ? kept(thread, slot) + o * kept_plane() + row_kept : nullptr,
                          width_});
    }
  }

  // How many rows after pooling to take at once so that they stay in the nearest cache.
  int rows_at_once() const {
    constexpr long kCache = 24 * 1024;
    const long row = sizeof(Vector) * (4L * width_ + shape_.stride_y * in.row()) * window_y_;
    const long kernel = static_cast<long>(sizeof(Vector)) * shape_.kernel_y * in.row();
    return static_cast<int>(std::max(1L, (kCache - kernel) / row));
  }

  // Finds the gradients of the sums, and adds up those of the biases.
  void find_deltas(Thread& thread, int slot, const Part& rows) const {
    Vector* biases = thread.rooms[index].biases.get();
    if (as_they_are_) {
      for (int o = 0; o < out.channels && bias_learns(); o++) {
        const Vector* row = given(thread, slot) + out.at(o, rows.first, 0);
        for (int i = 0; i < rows.count * width_; i++) biases[o] += row[i];
      }
      return;
    }
    Vector* deltas_ = own_deltas(thread, slot, rows.first * window_y_);
    for (int o = 0; o < out.channels; o++) {
      for (int y = rows.first; y < rows.first + rows.count; y++) {
        const long top = static_cast<long>(y) * window_y_ * width_;
        const long row_kept = pooling_ == Pooling::kMax ? static_cast<long>(y) * out.width : top;
        biases[o] += functions_.backward(
            {given(thread, slot) + out.at(o, y, 0), output(thread, slot) + out.at(o, y, 0),
             kept(thread, slot) + o * kept_plane() + row_kept, width_, window_y_, window_x_,
             out.width, deltas_ + static_cast<long>(o) * deltas_plane() + top, width_});
      }
    }
  }

  void add_weights(Thread& thread, int slot, int row, int end) const {
    const int per_output = inputs_ * shape_.kernel_y * shape_.kernel_x;
    const Vector* deltas_ = deltas(thread, slot, row);
    for (const Part& output : weight_tiles_.outputs) {
      const int channel = output.first / outputs_ * inputs_;
      for (int c = 0; c < inputs_; c++) {
        for (int ky = 0; ky < shape_.kernel_y; ky++) {
          // Rows of zeros have nothing to add.
          const int above = shape_.padding_y - ky * shape_.dilation_y;
          const int from = std::max(row, above > 0 ? (above - 1) / shape_.stride_y + 1 : 0);
          const int last = in.height - 1 + above;
          const int to = last < 0 ? from : std::min(end, last / shape_.stride_y + 1);
          if (to <= from) continue;
          for (const Part& tap : weight_tiles_.along) {
            const long sums = static_cast<long>(output.first) * per_output +
                              (c * shape_.kernel_y + ky) * shape_.kernel_x + tap.first;
            outer_tile(output.count, tap.count, shape_.stride_x == 1)(
                {deltas_ + static_cast<long>(output.first) * deltas_plane() +
                     static_cast<long>(from) * width_,
                 deltas_plane(), width_,
                 input(thread, slot) + in.at(channel + c, from * shape_.stride_y - above,
                                             tap.first * shape_.dilation_x - shape_.padding_x),
                 static_cast<long>(shape_.stride_y) * in.row(), shape_.stride_x, to - from, width_,
                 thread.rooms[index].weights.get() + sums, per_output});
          }
        }
      }
    }
  }

  // The gradient by one row of the input: what each kernel column adds goes to shifted places.
  void backward_row(Thread& thread, int slot, int y) const {
    constexpr long kCache = 24 * 1024;
    Vector* gradient_ = gradient(thread, slot);
    for (int c = 0; c < in.channels; c++) {
      std::memset(gradient_ + in.at(c, y, -in.border_x), 0, in.row() * sizeof(Vector));
    }
    const int residue = (y + shape_.padding_y) % shape_.stride_y;
    const int bottom = (y + shape_.padding_y) / shape_.stride_y;  // the row of sums below none
    int begin = starts_[residue], end = starts_[residue + 1];
    while (begin < end && bottom - below(order_[begin]) >= height_) begin++;
    while (begin < end && bottom < below(order_[end - 1])) end--;
    if (begin == end) return;
    for (const Part& along : back_tiles_.along) {
      const long row_bytes = along.count * static_cast<long>(sizeof(Vector));
      const long at_once = std::max(16L, kCache / row_bytes);
      for (const Part& some : split((end - begin) * outputs_, static_cast<int>(at_once))) {
        const int tap = begin * outputs_ + some.first;
        for (const Part& channels : back_tiles_.outputs) {
          const long output = static_cast<long>(channels.first / inputs_) * outputs_ * plane();
          for (int kx = 0; kx < shape_.kernel_x; kx++) {
            correlate_tile(channels.count, along.count, true, true)(
                {turned(kx, channels.first) + static_cast<long>(tap) * channels.count,
                 channels.count,
                 deltas(thread, slot, 0) + output + static_cast<long>(bottom) * width_ + along.first,
                 back_taps_.data() + tap, some.count, 1, nullptr,
                 gradient_ + in.at(channels.first, y,
                                   along.first * shape_.stride_x + kx * shape_.dilation_x -
                                       shape_.padding_x),
                 in.plane(), shape_.stride_x});
          }
        }
      }
    }
  }
};
