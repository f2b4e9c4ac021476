// A layer as Python describes it, and the layers that are done together.
#pragma once

#include <vector>

#include "convolution.h"

enum Kind : int32_t { kConv, kLinear, kAvgPool, kMaxPool, kSigmoidLayer, kTanhLayer, kReluLayer };

struct Layer {
  int32_t kind;
  int32_t in[3], out[3];  // channels, height, width
  int32_t kernel[2], stride[2], padding[2];
  int32_t count_padding;

  bool learns() const { return kind == kConv || kind == kLinear; }
  Pooling pooling() const {
    return kind == kMaxPool ? Pooling::kMax : kind == kAvgPool ? Pooling::kAverage : Pooling::kNone;
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
  // Whether its windows lie side by side inside of the image.
  bool tiles() const {
    for (int i = 0; i < 2; i++) {
      if (stride[i] != kernel[i] || padding[i] || out[i + 1] * kernel[i] > in[i + 1]) return false;
    }
    return pooling() != Pooling::kNone;
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
    if (found.layer.learns() && i < count && layers[i].activation() != Activation::kNone) {
      found.activation = layers[i++].activation();
    }
    if (found.layer.kind == kConv && i < count && layers[i].tiles()) {
      found.pooling = layers[i].pooling();
      found.window_y = layers[i].kernel[0];
      found.window_x = layers[i++].kernel[1];
    }
    std::copy(layers[i - 1].out, layers[i - 1].out + 3, found.out);
    bundles.push_back(found);
  }
  return bundles;
}
