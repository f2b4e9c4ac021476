// A convolution of one image with the columns of the image side by side in the vectors: for few
// outputs and wide rows, where vectors of outputs would stay half empty.
#pragma once

#include "single_image_layer.h"
#include "tiles.h"

class SingleImageColumns final : public SingleImageLearner {
 public:
  // Whether a layer can be done so, and with fewer multiply-adds of vectors than with its outputs
  // side by side.
  static bool fits(const Bundle& bundle, const Map& in) {
    const Layer& layer = bundle.layer;
    const bool window = bundle.window_x == bundle.window_y && bundle.window_x <= 2;
    if (layer.kind != kConv || layer.groups > 1 || layer.stride[1] != 1) return false;
    if (in.step_x != 1 || !window) return false;
    const int width = bundle.out[2] * bundle.window_x, outputs = layer.out[0];
    return outputs * round_up(width, kLanes) < width * round_up(outputs, kLanes);
  }

  SingleImageColumns(const Bundle& bundle, const Map& in) : bundle_(bundle), in_(in) {
    shape_ = bundle.layer.shape();
    finish_ = choose_finish();
    outputs_ = bundle.layer.out[0];
    vectors_ = round_up(bundle.out[2] * bundle.window_x, kLanes) / kLanes;
    tiles_ = choose_tiles(outputs_, vectors_);
    constexpr long size = sizeof(float);
    taps_ = kernel_taps(shape_, in.channels, in.step_c * size, in.step_y * size, size);
    weights_ = Buffer<float>(taps_.size() * outputs_);
    bias_ = Buffer<float>(outputs_);
    sums_ = Buffer<Vector>(static_cast<long>(kMostOutputs) * bundle.window_y * (vectors_ + 1));
  }

  Map map(const Grid& out) const override { return Map::planes(out); }

  void pack(const float* weight, const float* bias) override {
    for (const Part& outputs : tiles_.outputs) {
      pack_kernel(weight, shape_, in_.channels, outputs,
                  weights_.get() + outputs.first * taps_.size());
    }
    if (bias) std::copy(bias, bias + outputs_, bias_.get());
  }

  void run(const float* from, float* to, const Map& out) const override {
    for (int y = 0; y < out.height; y++) {
      for (const Part& outputs : tiles_.outputs) {
        for (int i = 0; i < bundle_.window_y; i++) sum_row(from, y * bundle_.window_y + i, i, outputs);
        for (int q = 0; q < outputs.count; q++) {
          const Vector* sums = sums_.get() + static_cast<long>(q) * bundle_.window_y * vectors_;
          (this->*finish_)(sums, to + out.at(outputs.first + q, y, 0), out.width);
        }
      }
    }
  }

 private:
  typedef void (SingleImageColumns::*Finish)(const Vector*, float*, int) const;

  Bundle bundle_;
  Finish finish_;
  Map in_;
  Shape shape_;
  int outputs_, vectors_;
  Tiles tiles_;
  std::vector<int32_t> taps_;  // bytes
  Buffer<float> weights_, bias_;
  Buffer<Vector> sums_;

  void sum_row(const float* from, int y, int i, const Part& outputs) const {
    const int top = y * shape_.stride_y - shape_.padding_y;
    const Part inside = taps_inside(shape_, in_.channels, in_.height, top);
    const float* weights = weights_.get() + outputs.first * taps_.size();
    for (const Part& along : tiles_.along) {
      correlate_tile(outputs.count, along.count, true, false)(
          {weights + static_cast<long>(inside.first) * outputs.count, outputs.count,
           from + in_.at(0, top, along.first * kLanes - shape_.padding_x), taps_.data() + inside.first,
           inside.count, 1, bias_.get() + outputs.first,
           sums_.get() + static_cast<long>(i) * vectors_ + along.first,
           static_cast<long>(bundle_.window_y) * vectors_, 1});
    }
  }

  // Activates and pools rows of sums.
  template <Activation kActivation, bool kMost, bool kTwo>
  void finish(const Vector* sums, float* to, int width) const {
    IntVector lane;
    for (int k = 0; k < kLanes; k++) lane[k] = k;
    for (int x = 0; x < width; x += kLanes) {
      Vector value;
      if constexpr (!kTwo) {
        value = activated<kActivation>(sums[x / kLanes]);
      } else {
        Vector halves[2] = {};
        for (int half = 0; half < 2; half++) {
          const int at = 2 * (x / kLanes) + half;
          if (at >= vectors_) break;
          const Vector above = sums[at], below = sums[vectors_ + at];
          halves[half] = kMost ? larger(above, below)
                               : activated<kActivation>(above) + activated<kActivation>(below);
        }
        Vector even, odd;
        unzip(halves[0], halves[1], even, odd);
        value = kMost ? activated<kActivation>(larger(even, odd)) : (even + odd) * 0.25f;
      }
      store(to + x, lane < width - x ? value : Vector{});  // the border stays zero
    }
  }

  template <Activation kActivation>
  Finish finish_of() const {
    if (bundle_.window_x == 1) return &SingleImageColumns::finish<kActivation, false, false>;
    return bundle_.pooling == Pooling::kMax ? &SingleImageColumns::finish<kActivation, true, true>
                                            : &SingleImageColumns::finish<kActivation, false, true>;
  }

  Finish choose_finish() const {
    switch (bundle_.activation) {
      case Activation::kSigmoid: return finish_of<Activation::kSigmoid>();
      case Activation::kTanh: return finish_of<Activation::kTanh>();
      case Activation::kRelu: return finish_of<Activation::kRelu>();
      default: return finish_of<Activation::kNone>();
    }
  }

  static Vector larger(Vector a, Vector b) { return ((b > a) | (b != b)) ? b : a; }
};
