// Pooling with any windows: overlapping, padded, hanging over the edge.
#pragma once

#include <algorithm>

#include "layer.h"

// A window's part inside of the image, and what an average over it is divided by.
struct PoolWindow {
  int top, bottom, left, right;
  float divisor;

  PoolWindow(const Shape& shape, bool count_padding, int height, int width, int y, int x) {
    const int above = y * shape.stride_y - shape.padding_y;
    const int before = x * shape.stride_x - shape.padding_x;
    const int below = std::min(above + shape.kernel_y, height + shape.padding_y);
    const int behind = std::min(before + shape.kernel_x, width + shape.padding_x);
    top = std::max(above, 0);
    bottom = std::min(below, height);
    left = std::max(before, 0);
    right = std::min(behind, width);
    divisor = static_cast<float>(count_padding ? (below - above) * (behind - before)
                                               : (bottom - top) * (right - left));
  }

  // The window of an adaptive average: as near as can be to an even share.
  PoolWindow(int height, int width, int rows, int columns, int y, int x) {
    top = y * height / rows;
    bottom = ((y + 1) * height + rows - 1) / rows;
    left = x * width / columns;
    right = ((x + 1) * width + columns - 1) / columns;
    divisor = static_cast<float>((bottom - top) * (right - left));
  }

  static PoolWindow of(const Layer& layer, int y, int x) {
    const int height = layer.in[1], width = layer.in[2];
    if (layer.kind == kAdaptivePool) return {height, width, layer.out[1], layer.out[2], y, x};
    return {layer.shape(), layer.count_padding != 0, height, width, y, x};
  }
};

class Pool final : public Stage {
 public:
  Pool(Grid in_, Grid out_, const Layer& layer) : layer_(layer), pooling_(layer.pooling()) {
    in = in_;
    out = out_;
  }

  void allocate(Room&, int) const override {}
  void pack(int, int, bool) override {}

  void forward(Thread& thread, int slot, int, bool) const override {
    for (int c = 0; c < out.channels; c++) {
      const Vector* from = input(thread, slot) + in.at(c, 0, 0);
      for (int y = 0; y < out.height; y++) {
        for (int x = 0; x < out.width; x++) {
          const PoolWindow window = window_at(y, x);
          Vector& to = output(thread, slot)[out.at(c, y, x)];
          to = pooling_ == Pooling::kMax ? most(from, window).value : average(from, window);
        }
      }
    }
  }

  void backward(Thread& thread, int slot, int) const override {
    if (first) return;
    Vector* gradient_ = gradient(thread, slot);
    std::memset(gradient_, 0, in.size() * sizeof(Vector));
    for (int c = 0; c < out.channels; c++) {
      const Vector* from = input(thread, slot) + in.at(c, 0, 0);
      Vector* to = gradient_ + in.at(c, 0, 0);
      for (int y = 0; y < out.height; y++) {
        for (int x = 0; x < out.width; x++) {
          const PoolWindow window = window_at(y, x);
          const Vector delta = given(thread, slot)[out.at(c, y, x)];
          if (pooling_ == Pooling::kMax) {
            const IntVector where = most(from, window).where;
            each(window, [&](int at) { to[at] += where == at ? delta : Vector{}; });
          } else {
            const Vector part = delta * (1.f / window.divisor);
            each(window, [&](int at) { to[at] += part; });
          }
        }
      }
    }
  }

 private:
  struct Most {
    Vector value;
    IntVector where;
  };

  Layer layer_;
  Pooling pooling_;

  PoolWindow window_at(int y, int x) const { return PoolWindow::of(layer_, y, x); }

  template <typename Do>
  void each(const PoolWindow& window, Do&& act) const {
    for (int i = window.top; i < window.bottom; i++) {
      for (int j = window.left; j < window.right; j++) act(i * in.row() + j);
    }
  }

  Vector average(const Vector* from, const PoolWindow& window) const {
    Vector total{};
    each(window, [&](int at) { total += from[at]; });
    return total * (1.f / window.divisor);
  }

  // The largest value and where it first stands; a NaN is larger than all, as in PyTorch.
  Most most(const Vector* from, const PoolWindow& window) const {
    const int start = window.top * in.row() + window.left;
    Most found{from[start], IntVector{} + start};
    each(window, [&](int at) {
      const IntVector better = (from[at] > found.value) | (from[at] != from[at]);
      found.value = better ? from[at] : found.value;
      found.where = better ? IntVector{} + at : found.where;
    });
    return found;
  }
};
