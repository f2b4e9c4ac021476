// Whether layers follow from one another. Of those that do, no stage reads or writes outside of its
// buffers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "layer.h"
#include "loader.h"

enum FaultKind : int32_t { kFollows, kOfLayer, kOfImages, kTooLarge, kFlatAndBordered };

// What is wrong with a description, and with which layer, or which value.
struct Fault {
  int32_t kind, where;
};

constexpr double kMostNumbers = INT32_MAX / sizeof(Vector);  // of a value: taps are told in bytes
constexpr int kMostStep = 1 << 20;  // of a kernel, a stride, a padding, a dilation

inline double volume(const int32_t* size) { return double(size[0]) * size[1] * size[2]; }

inline bool same_size(const int32_t* one, const int32_t* other) {
  return std::equal(one, one + 3, other);
}

inline bool is_positive(const int32_t* size) { return std::min({size[0], size[1], size[2]}) > 0; }

// Numbers that a value takes with a border around its maps.
inline double numbers_of(double channels, double height, double width, double above, double before) {
  return channels * ((height + 2 * above) * (width + 2 * before) + 1) + 2;
}

inline bool is_small(const int32_t* size) {
  return numbers_of(size[0], size[1], size[2], 0, 0) <= kMostNumbers;
}

// Whether along rows or columns, `axis` 0 or 1, there are as many windows as fit.
inline bool windows_follow(const Layer& layer, int axis) {
  const int64_t size = layer.in[axis + 1], windows = layer.out[axis + 1];
  const int64_t kernel = layer.kernel[axis], stride = layer.stride[axis];
  const int64_t padding = layer.padding[axis], dilation = layer.dilation[axis];
  if (std::min({kernel, stride, dilation}) < 1 || padding < 0) return false;
  if (std::max({kernel, stride, dilation, padding}) > kMostStep) return false;
  const int64_t room = size + 2 * padding - ((kernel - 1) * dilation + 1);
  const bool whole = room >= 0 && windows == room / stride + 1;
  if (layer.kind == kConv) return whole;
  if (dilation != 1 || 2 * padding > kernel) return false;
  const int64_t last = (windows - 1) * stride;  // the last window may hang over the edge
  return whole || (last < size + padding && last > room - stride && last < room + stride);
}

inline bool shapes_follow(const Layer& layer) {
  const bool windows = layer.kind == kConv || layer.kind == kAvgPool || layer.kind == kMaxPool;
  if (windows && !(windows_follow(layer, 0) && windows_follow(layer, 1))) return false;
  if (layer.kind != kConv && layer.groups != 1) return false;
  switch (layer.kind) {
    case kConv:
      return layer.groups > 0 && layer.in[0] % layer.groups == 0 && layer.out[0] % layer.groups == 0;
    case kLinear:
      return layer.out[1] == 1 && layer.out[2] == 1 &&
             volume(layer.in) * kKept * sizeof(float) <= INT32_MAX;
    case kAvgPool:
    case kMaxPool:
    case kAdaptivePool: return layer.in[0] == layer.out[0];
    default: return same_size(layer.in, layer.out);
  }
}

// Whether a layer reads what comes before it, in the size that it has.
inline bool reads_follow(const Layer* layers, int number) {
  const Layer& layer = layers[number];
  for (int k = 0; k < 2; k++) {
    const int value = layer.reads[k];
    if (k && layer.kind != kSum) return value == -1;
    if (value < 0 || value > number) return false;
    const int32_t* size = value ? layers[value - 1].out : layers[0].in;
    if (!same_size(layer.in, size)) return false;
  }
  return true;
}

inline Fault find_fault(const Layer* layers, int count, const Scaling& scaling) {
  if (count < 1) return {kOfLayer, 0};
  for (int i = 0; i < count; i++) {
    const Layer& layer = layers[i];
    if (layer.kind < kConv || layer.kind > kSum) return {kOfLayer, i};
    if (!is_positive(layer.in) || !is_positive(layer.out)) return {kOfLayer, i};
    if (!is_small(layer.in) || !is_small(layer.out)) return {kTooLarge, i};
    if (!reads_follow(layers, i) || !shapes_follow(layer)) return {kOfLayer, i};
    if (layer.normalised && !layer.learns()) return {kOfLayer, i};
  }
  const std::vector<int> readers = count_readers(layers, count);
  for (int i = 0; i + 1 < count; i++) {
    if (!readers[i + 1]) return {kOfLayer, i};
  }
  const bool inside = scaling.height > 0 && scaling.width > 0 && scaling.top >= 0 &&
                      scaling.left >= 0 && scaling.top <= layers[0].in[1] - scaling.height &&
                      scaling.left <= layers[0].in[2] - scaling.width;
  return {inside ? kFollows : kOfImages, 0};
}

// What the borders of convolutions make of the values.
inline Fault find_fault(const std::vector<Grid>& grids) {
  for (std::size_t i = 0; i < grids.size(); i++) {
    const Grid& grid = grids[i];
    if (numbers_of(grid.channels, grid.height, grid.width, grid.border_y, grid.border_x) >
        kMostNumbers) {
      return {kTooLarge, static_cast<int32_t>(i)};
    }
    if (grid.flat && (grid.border_y || grid.border_x)) {
      return {kFlatAndBordered, static_cast<int32_t>(i)};
    }
  }
  return {kFollows, 0};
}
