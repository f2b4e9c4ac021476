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
};

struct Layer {
  int32_t kind;
  int32_t in[3], out[3];  // channels, height, width
  int32_t kernel[2], stride[2], padding[2];
  int32_t count_padding;
  int32_t normalised;  // whether a batch norm follows that is folded into the weights
  float number;        // a batch norm's epsilon, also a folded one's; a dropout's part; a slope
  float momentum;      // of a batch norm's running statistics

  bool learns() const { return kind == kConv || kind == kLinear; }
  Pooling pooling() const {
    if (kind == kMaxPool) return Pooling::kMax;
    return kind == kAvgPool || kind == kAdaptivePool ? Pooling::kAverage : Pooling::kNone;
  }
  Shape shape() const {
    return {kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]};
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
struct Bundle {
  Layer layer;
  Activation activation = Activation::kNone;
  Pooling pooling = Pooling::kNone;
  int window_y = 1, window_x = 1;
  int out[3] = {};

  int inputs() const { return layer.in[0] * layer.in[1] * layer.in[2]; }
  Grid in() const {
    Grid grid{layer.in[0], layer.in[1], layer.in[2]};
    if (layer.kind == kConv) {
      grid.border_y = layer.padding[0];
      grid.border_x = layer.padding[1];
    }
    grid.flat = layer.kind == kLinear;
    return grid;
  }
};

inline std::vector<Bundle> bundle(const Layer* layers, int count) {
  std::vector<Bundle> bundles;
  for (int i = 0; i < count;) {
    Bundle found;
    found.layer = layers[i++];
    const bool norm = found.layer.kind == kBatchNorm;
    if ((found.layer.learns() || norm) && i < count && layers[i].activation() != Activation::kNone) {
      found.activation = layers[i++].activation();
    }
    const bool conv = found.layer.kind == kConv;
    if (i < count && ((conv && layers[i].tiles()) || (norm && layers[i].covers()))) {
      found.window_y = layers[i].kernel[0];
      found.window_x = layers[i].kernel[1];
      const bool pools = found.window_y * found.window_x > 1;  // else it gives what it is given
      found.pooling = pools ? layers[i].pooling() : Pooling::kNone;
      i++;
    }
    std::copy(layers[i - 1].out, layers[i - 1].out + 3, found.out);
    bundles.push_back(found);
  }
  return bundles;
}
