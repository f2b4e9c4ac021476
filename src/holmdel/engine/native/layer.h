// A layer as Python describes it, and the layers that are done together.
#pragma once

#include <vector>

#include "convolution.h"
#include "smooth.h"

enum Kind : int32_t {
  kConv,
  kLinear,
  kAvgPool,
  kMaxPool,
  kSigmoidLayer,
  kTanhLayer,
  kReluLayer,
  kAdaptivePool,  // an average
  kBatchNorm,
  kDropout,
  kLeakyLayer,
  kGeluLayer,
  kGeluTanhLayer,
  kSiluLayer,
  kSum,  // of two values
};

struct Layer {
  int32_t kind;
  int32_t in[3], out[3];  // channels, height, width
  int32_t kernel[2], stride[2], padding[2];
  int32_t count_padding;
  int32_t normalised;  // whether a batch norm follows that is folded into the weights
  float number;        // a batch norm's epsilon, also a folded one's; a dropout's part; a slope
  float momentum;      // of a batch norm's running statistics
  int32_t reads[2];    // values: 0 is the image, i + 1 what layer i gives; the second is a sum's, or -1
  int32_t dilation[2] = {1, 1};
  int32_t groups = 1;

  bool learns() const { return kind == kConv || kind == kLinear; }
  Pooling pooling() const {
    if (kind == kMaxPool) return Pooling::kMax;
    return kind == kAvgPool || kind == kAdaptivePool ? Pooling::kAverage : Pooling::kNone;
  }
  Shape shape() const {
    return {kernel[0],  kernel[1],   stride[0],   stride[1], padding[0],
            padding[1], dilation[0], dilation[1], groups};
  }
  Activation activation() const {
    switch (kind) {
      case kSigmoidLayer: return Activation::kSigmoid;
      case kTanhLayer: return Activation::kTanh;
      case kReluLayer: return Activation::kRelu;
      default: return Activation::kNone;
    }
  }
  Curve curve() const {
    switch (kind) {
      case kLeakyLayer: return Curve::kLeaky;
      case kGeluLayer: return Curve::kGelu;
      case kGeluTanhLayer: return Curve::kGeluTanh;
      case kSiluLayer: return Curve::kSilu;
      default: return Curve::kNone;
    }
  }
  // Whether its windows lie side by side inside of the image.
  bool tiles() const {
    if (kind == kAdaptivePool) return false;
    for (int i = 0; i < 2; i++) {
      if (stride[i] != kernel[i] || padding[i] || out[i + 1] * kernel[i] > in[i + 1]) return false;
    }
    return pooling() != Pooling::kNone;
  }
  // Whether its windows, side by side, leave nothing of the image out.
  bool covers() const {
    return tiles() && out[1] * kernel[0] == in[1] && out[2] * kernel[1] == in[2];
  }
};

// A layer with the activation and the pooling that follow it and are done with it.
//
// What a bundle gives, and the image, lie in rooms: room 0 is the image, room i + 1 bundle i's.
struct Bundle {
  Layer layer;
  int reads[2] = {};  // rooms; the second is -1 where there is none
  Activation activation = Activation::kNone;
  Pooling pooling = Pooling::kNone;
  int window_y = 1, window_x = 1;
  int out[3] = {};

  int inputs() const { return layer.in[0] * layer.in[1] * layer.in[2]; }
};

// How many layers read each value.
inline std::vector<int> count_readers(const Layer* layers, int count) {
  std::vector<int> readers(count + 1);
  for (int i = 0; i < count; i++) {
    for (int value : layers[i].reads) {
      if (value >= 0) readers[value]++;
    }
  }
  return readers;
}

inline std::vector<Bundle> bundle(const Layer* layers, int count) {
  const std::vector<int> readers = count_readers(layers, count);
  std::vector<int> room(count + 1);  // of each value
  std::vector<Bundle> bundles;
  for (int i = 0; i < count;) {
    Bundle found;
    found.layer = layers[i++];
    const auto follows = [&] { return i < count && layers[i].reads[0] == i && readers[i] == 1; };
    for (int k = 0; k < 2; k++) {
      const int value = found.layer.reads[k];
      found.reads[k] = value < 0 ? -1 : room[value];
    }
    const bool norm = found.layer.kind == kBatchNorm, sum = found.layer.kind == kSum;
    if ((found.layer.learns() || norm || sum) && follows() &&
        layers[i].activation() != Activation::kNone) {
      found.activation = layers[i++].activation();
    }
    const bool conv = found.layer.kind == kConv;
    if (follows() && ((conv && layers[i].tiles()) || (norm && layers[i].covers()))) {
      found.window_y = layers[i].kernel[0];
      found.window_x = layers[i].kernel[1];
      const bool pools = found.window_y * found.window_x > 1;  // else it gives what it is given
      found.pooling = pools ? layers[i].pooling() : Pooling::kNone;
      i++;
    }
    std::copy(layers[i - 1].out, layers[i - 1].out + 3, found.out);
    bundles.push_back(found);
    room[i] = static_cast<int>(bundles.size());
  }
  return bundles;
}

// Where the numbers of each room lie: with the widest border that a convolution asks for, without
// gaps where a dense layer reads them or they are the logits. Both operands of a sum lie alike.
inline std::vector<Grid> find_grids(const std::vector<Bundle>& bundles) {
  const int* image = bundles[0].layer.in;
  std::vector<Grid> grids{{image[0], image[1], image[2]}};
  for (const Bundle& b : bundles) grids.push_back({b.out[0], b.out[1], b.out[2]});
  grids.back().flat = true;
  for (const Bundle& b : bundles) {
    Grid& grid = grids[b.reads[0]];
    if (b.layer.kind == kConv) {
      grid.border_y = std::max<int>(grid.border_y, b.layer.padding[0]);
      grid.border_x = std::max<int>(grid.border_x, b.layer.padding[1]);
    }
    grid.flat = grid.flat || b.layer.kind == kLinear;
  }
  for (std::size_t turn = 0; turn < bundles.size(); turn++) {  // sums of sums of sums
    for (const Bundle& b : bundles) {
      if (b.reads[1] < 0) continue;
      Grid &one = grids[b.reads[0]], &other = grids[b.reads[1]];
      one.border_y = other.border_y = std::max(one.border_y, other.border_y);
      one.border_x = other.border_x = std::max(one.border_x, other.border_x);
      one.flat = other.flat = one.flat || other.flat;
    }
  }
  return grids;
}
