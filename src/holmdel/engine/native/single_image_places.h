// The outputs of a layer, not images, side by side in the vectors, place after place.
#pragma once

#include "layer.h"
#include "single_image_kernels.h"
#include "single_image_layer.h"

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
    inputs_ = in.channels / shape_.groups;
    taps_ = kernel_taps(shape_, inputs_, in.step_c, in.step_y, in.step_x);
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
      for (int c = 0; c < inputs_; c++) {
        for (int kx = 0; kx < shape_.kernel_x; kx++, to += padded_) {
          for (int o = 0; o < outputs_; o++) {
            const long row = static_cast<long>(o) * inputs_ + c;
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
  int inputs_;  // channels of a group
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
    const Part inside = taps_inside(shape_, inputs_, in_.height, top);
    if (shape_.groups > 1) return sum_groups(from, top, inside, sums);
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

  // A row of sums where each group of outputs reads channels of its own.
  void sum_groups(const float* from, int top, const Part& inside, float* sums) const {
    for (int x = 0; x < width_; x++, sums += place_) {
      const float* place = from + in_.at(0, top, x * shape_.stride_x - shape_.padding_x);
      std::copy_n(bias_.get(), outputs_, sums);
      for (int t = inside.first; t < inside.first + inside.count; t++) {
        add_groups(place + taps_[t], weights_.get() + static_cast<long>(t) * padded_, sums);
      }
    }
  }

  void add_groups(const float* values, const float* weights, float* sums) const {
    const int of_group = outputs_ / shape_.groups;
    if (inputs_ == 1 && of_group == 1 && in_.step_c == 1) {
      for (int o = 0; o < outputs_; o++) sums[o] += weights[o] * values[o];
      return;
    }
    for (int group = 0; group < shape_.groups; group++, sums += of_group, weights += of_group) {
      const float value = values[group * inputs_ * in_.step_c];
      for (int o = 0; o < of_group; o++) sums[o] += weights[o] * value;
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
