// The layers for a single image: the outputs of a layer, not images, lie side by side in a vector.
#pragma once

#include "layer.h"
#include "pooling.h"
#include "single_image_columns.h"
#include "single_image_layer.h"
#include "single_image_kernels.h"

// A convolution or dense layer, with activation and pooling. A dense layer is a convolution whose
// kernel is as large as its input.
class SingleImagePlaces final : public SingleImageLearner {
 public:
  SingleImagePlaces(const Bundle& bundle, const Map& in) : bundle_(bundle), in_(in) {
    const Layer& layer = bundle.layer;
    const bool dense = layer.kind == kLinear;
    outputs_ = layer.out[0];
    narrow_ = outputs_ <= kHalf;
    width_of_vector_ = narrow_ ? kHalf : kLanes;
    place_ = padded_ = round_up(outputs_, width_of_vector_);
    shape_ = dense ? Shape{layer.in[1], layer.in[2], 1, 1, 0, 0} : layer.shape();
    height_ = dense ? 1 : bundle.out[1] * bundle.window_y;
    width_ = dense ? 1 : bundle.out[2] * bundle.window_x;
    taps_ = kernel_taps(shape_, in.channels, in.step_c, in.step_y, in.step_x);
    weights_ = Buffer<float>(taps_.size() * padded_);
    bias_ = Buffer<float>(padded_);
    sums_ = Buffer<float>(static_cast<long>(bundle.window_y) * width_ * padded_ + kLanes);
    choose_parts();
    // Places lie without gaps where each is one tile's: what a vector writes too much, the next
    // place's overwrites.
    if (vectors_.size() == 1) place_ = outputs_;
  }

  Map map(const Grid& out) const override { return Map::side_by_side(out, padded_); }

  void pack(const float* weight, const float* bias) override {
    float* to = weights_.get();
    for (int ky = 0; ky < shape_.kernel_y; ky++) {
      for (int c = 0; c < in_.channels; c++) {
        for (int kx = 0; kx < shape_.kernel_x; kx++, to += padded_) {
          for (int o = 0; o < outputs_; o++) {
            const long row = static_cast<long>(o) * in_.channels + c;
            to[o] = weight[(row * shape_.kernel_y + ky) * shape_.kernel_x + kx];
          }
        }
      }
    }
    if (bias) std::copy(bias, bias + outputs_, bias_.get());
  }

  void run(const float* from, float* to, const Map& out) const override {
    const long row = static_cast<long>(width_) * place_;
    for (int y = 0; y < height_ / bundle_.window_y; y++) {
      for (int i = 0; i < bundle_.window_y; i++) {
        sum_row(from, y * bundle_.window_y + i, sums_.get() + i * row);
      }
      float* row_out = to + out.at(0, y, 0);
      if (bundle_.pooling == Pooling::kMax) {  // which is largest does not change: one is enough
        pool_row(row_out);
        activate(bundle_.activation, row_out, static_cast<long>(out.width) * padded_);
      } else {
        activate(bundle_.activation, sums_.get(), bundle_.window_y * row);
        pool_row(row_out);
      }
    }
  }

 private:
  Bundle bundle_;
  Map in_;
  Shape shape_;
  int outputs_, padded_, width_of_vector_, height_, width_;
  int place_;  // floats from place to place in the sums
  bool narrow_;
  std::vector<int32_t> taps_;
  std::vector<Part> along_, vectors_;
  Buffer<float> weights_, bias_, sums_;

  // As many vectors of outputs, then as many places, as the registers hold.
  void choose_parts() {
    int vectors = std::min(padded_ / width_of_vector_, width_ > 1 ? 2 : kMostVectors);
    int along = std::min(width_, kMostPlaces);
    while (!tile_fits(along, vectors)) (along > 1 ? along : vectors)--;
    along_ = split(width_, along);
    vectors_ = split(padded_ / width_of_vector_, vectors);
  }

  void sum_row(const float* from, int y, float* sums) const {
    const int top = y * shape_.stride_y - shape_.padding_y;
    const Part inside = taps_inside(shape_, in_.channels, in_.height, top);
    for (const Part& vectors : vectors_) {
      const int first = vectors.first * width_of_vector_;
      for (const Part& along : along_) {
        const long step = shape_.stride_x * in_.step_x;
        choose_tile(narrow_, along.count, vectors.count, step == 1)(
            {weights_.get() + static_cast<long>(inside.first) * padded_ + first, padded_,
             from + in_.at(0, top, along.first * shape_.stride_x - shape_.padding_x),
             taps_.data() + inside.first, inside.count, step, bias_.get() + first,
             sums + static_cast<long>(along.first) * place_ + first, place_});
      }
    }
  }

  void pool_row(float* to) const {
    const bool two = bundle_.window_x == 2 && bundle_.window_y == 2;
    if (bundle_.pooling == Pooling::kMax) {
      two ? pool_row<true, 2>(to) : pool_row<true, 0>(to);
    } else {
      two ? pool_row<false, 2>(to) : pool_row<false, 0>(to);
    }
  }

  // kWindow is the window's height and width where it is known, else 0.
  template <bool kMost, int kWindow>
  void pool_row(float* to) const {
    const int wide = kWindow ? kWindow : bundle_.window_x;
    const int high = kWindow ? kWindow : bundle_.window_y;
    const float part = 1.f / (wide * high);
    const long row = static_cast<long>(width_) * place_;
    for (int x = 0; x < width_ / wide; x++) {
      for (int o = 0; o < padded_; o += kHalf) {
        const float* from = sums_.get() + static_cast<long>(x) * wide * place_ + o;
        HalfVector found{};
        for (int i = 0; i < high; i++) {
          for (int j = 0; j < wide; j++) {
            const HalfVector value = *reinterpret_cast<const LooseHalf*>(from + i * row + j * place_);
            if constexpr (kMost) {
              const auto better = (value > found) | (value != value);
              found = i + j == 0 ? value : better ? value : found;
            } else {
              found += value;
            }
          }
        }
        if constexpr (!kMost) found *= part;
        *reinterpret_cast<HalfVector*>(to + static_cast<long>(x) * padded_ + o) = found;
      }
    }
  }
};

// A value through a batch norm or an activation; `line` is the norm's scales, then its shifts.
inline float plain_value(const Bundle& bundle, float x, int channel, const float* line) {
  const Layer& layer = bundle.layer;
  const bool norm = layer.kind == kBatchNorm;
  if (norm) x = x * line[channel] + line[layer.in[0] + channel];
  if (layer.curve() != Curve::kNone) {
    Vector one = all(x), value;
    choose_curve(layer.curve())({&one, nullptr, 1, layer.number, &value});
    return value[0];
  }
  float one[kLanes] = {x};
  activate(norm ? bundle.activation : layer.activation(), one, 1);
  return one[0];
}

// A window's values through a batch norm, and what they make: their largest or their mean.
inline float plain_window(const Bundle& bundle, const float* line, const float* from, const Map& in,
                          int c, int y, int x) {
  const bool most = bundle.pooling == Pooling::kMax;
  float found = 0;
  for (int i = 0; i < bundle.window_y; i++) {
    for (int j = 0; j < bundle.window_x; j++) {
      const int row = y * bundle.window_y + i, column = x * bundle.window_x + j;
      const float next = plain_value(bundle, from[in.at(c, row, column)], c, line);
      const bool better = !(i || j) || next > found || next != next;
      found = most ? (better ? next : found) : found + next;
    }
  }
  return most ? found : found * (1.f / (bundle.window_y * bundle.window_x));
}

// Pooling with any windows, a batch norm or an activation that stands alone; seldom met.
inline void run_plain(const Bundle& bundle, const float* line, const float* from, const Map& in,
                      float* to, const Map& out) {
  const Layer& layer = bundle.layer;
  for (int c = 0; c < out.channels; c++) {
    for (int y = 0; y < out.height; y++) {
      for (int x = 0; x < out.width; x++) {
        float& value = to[out.at(c, y, x)];
        if (layer.pooling() == Pooling::kNone) {
          value = plain_window(bundle, line, from, in, c, y, x);
          continue;
        }
        const PoolWindow w = PoolWindow::of(layer, y, x);
        const bool most = layer.pooling() == Pooling::kMax;
        float found = most ? from[in.at(c, w.top, w.left)] : 0.f;
        for (int i = w.top; i < w.bottom; i++) {
          for (int j = w.left; j < w.right; j++) {
            const float next = from[in.at(c, i, j)];
            found = !most ? found + next : next > found || next != next ? next : found;
          }
        }
        value = most ? found : found * (1.f / w.divisor);
      }
    }
  }
}

// The sum of two values, activated.
inline void run_sum(const Bundle& bundle, const float* one, const Map& in, const float* other,
                    const Map& also, float* to, const Map& out) {
  for (int c = 0; c < out.channels; c++) {
    for (int y = 0; y < out.height; y++) {
      for (int x = 0; x < out.width; x++) {
        const float value[kLanes] = {one[in.at(c, y, x)] + other[also.at(c, y, x)]};
        float result[kLanes];
        store(result, activated_by(bundle.activation, load(value)));
        to[out.at(c, y, x)] = result[0];
      }
    }
  }
}

class SingleImage {
 public:
  SingleImage(const std::vector<Bundle>& bundles, const std::vector<Grid>& grids) {
    maps_.push_back(Map::planes(grids[0]));
    for (std::size_t i = 0; i < bundles.size(); i++) {
      const Bundle& bundle = bundles[i];
      const bool learns = bundle.layer.learns();
      layers_.push_back({bundle, nullptr, {}});
      const Map in = maps_[bundle.reads[0]];
      if (learns && SingleImageColumns::fits(bundle, in)) {
        layers_.back().learner = std::make_unique<SingleImageColumns>(bundle, in);
      } else if (learns) {
        layers_.back().learner = std::make_unique<SingleImagePlaces>(bundle, in);
      }
      const Grid& out = grids[i + 1];
      maps_.push_back(learns ? layers_.back().learner->map(out)
                             : Map::side_by_side(out, round_up(out.channels, kHalf)));
    }
    for (const Map& map : maps_) values_.emplace_back(map.size() + 2 * kLanes);
  }

  // Takes weight and bias of layer number `i`, or scales and shifts of a batch norm.
  void pack(std::size_t i, const float* weight, const float* bias) {
    Step& step = layers_[i];
    if (step.learner) step.learner->pack(weight, bias);
    if (step.bundle.layer.kind != kBatchNorm) return;
    step.line.assign(weight, weight + step.bundle.layer.in[0]);
    step.line.insert(step.line.end(), bias, bias + step.bundle.layer.in[0]);
  }

  // Where the image's numbers go, in the order channel, row, column.
  float* input() { return values_[0].get(); }
  const Map& input_map() const { return maps_[0]; }

  void run(float* logits) {
    for (std::size_t i = 0; i < layers_.size(); i++) {
      const Bundle& bundle = layers_[i].bundle;
      const int one = bundle.reads[0], other = bundle.reads[1];
      const float* from = values_[one].get();
      float* to = values_[i + 1].get();
      if (layers_[i].learner) {
        layers_[i].learner->run(from, to, maps_[i + 1]);
      } else if (other >= 0) {
        run_sum(bundle, from, maps_[one], values_[other].get(), maps_[other], to, maps_[i + 1]);
      } else {
        run_plain(bundle, layers_[i].line.data(), from, maps_[one], to, maps_[i + 1]);
      }
    }
    const Map& last = maps_.back();
    for (int c = 0; c < last.channels; c++) {
      for (int y = 0; y < last.height; y++) {
        for (int x = 0; x < last.width; x++) *logits++ = values_.back().get()[last.at(c, y, x)];
      }
    }
  }

 private:
  struct Step {
    Bundle bundle;
    std::unique_ptr<SingleImageLearner> learner;
    std::vector<float> line;
  };
  std::vector<Step> layers_;
  std::vector<Map> maps_;
  std::vector<Buffer<float>> values_;
};
