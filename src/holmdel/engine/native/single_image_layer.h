// What the ways to do a layer for one image share.
#pragma once

#include "activations.h"
#include "layer.h"

// Where channel, row and column of one image lie, in floats.
struct Map {
  int channels, height, width, border_y, border_x;
  long step_c, step_y, step_x;

  long at(int c, int y, int x) const {
    return c * step_c + (y + border_y) * step_y + (x + border_x) * step_x;
  }
  long size() const {
    return (channels - 1) * step_c + (height + 2 * border_y) * step_y + channels;
  }
  // Channel after channel; a row has room for whole vectors.
  static Map planes(const Grid& g) {
    const long row = 2 * g.border_x + round_up(g.width, kLanes);
    const long rows = g.height + 2 * g.border_y;
    return {g.channels, g.height, g.width, g.border_y, g.border_x, rows * row, row, 1};
  }
  // Channels side by side, as many as fill vectors.
  static Map side_by_side(const Grid& g, int padded) {
    const long row = static_cast<long>(g.row()) * padded;
    return {g.channels, g.height, g.width, g.border_y, g.border_x, 1, row, padded};
  }
};

HOLMDEL_INLINE Vector activated_by(Activation activation, Vector x) {
  switch (activation) {
    case Activation::kSigmoid: return sigmoid(x);
    case Activation::kTanh: return tangent(x);
    case Activation::kRelu: return activated<Activation::kRelu>(x);
    default: return x;
  }
}

// Over `count` floats and no more: behind a row stand the zeros of the next layer's padding.
inline void activate(Activation activation, float* values, long count) {
  if (activation == Activation::kNone) return;
  const long whole = count / kLanes * kLanes;
  for (long i = 0; i < whole; i += kLanes) {
    store(values + i, activated_by(activation, load(values + i)));
  }
  if (whole == count) return;
  float rest[kLanes] = {};
  std::memcpy(rest, values + whole, (count - whole) * sizeof(float));
  store(rest, activated_by(activation, load(rest)));
  std::memcpy(values + whole, rest, (count - whole) * sizeof(float));
}

// A convolution or dense layer, with activation and pooling.
class SingleImageLearner {
 public:
  virtual ~SingleImageLearner() = default;
  // Where its outputs lie, as the next layer wants their border.
  virtual Map map(const Grid& out) const = 0;
  virtual void pack(const float* weight, const float* bias) = 0;
  virtual void run(const float* from, float* to, const Map& out) const = 0;
};
