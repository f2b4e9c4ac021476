// A kernel's shape, and the one order in which its taps are gone through.
#pragma once

#include <algorithm>
#include <vector>

#include "tiles.h"

struct Shape {
  int kernel_y, kernel_x, stride_y, stride_x, padding_y, padding_x;
  int dilation_y = 1, dilation_x = 1;
  int groups = 1;  // each has its part of the channels and of the outputs
};

// Where the kernel's taps lie from its first, in the order kernel row, channel, kernel column; the
// channels are those of a group, the steps those from channel to channel, row to row, column to
// column, in any unit.
inline std::vector<int32_t> kernel_taps(const Shape& shape, int channels, long channel, long row,
                                        long column) {
  std::vector<int32_t> taps;
  for (int ky = 0; ky < shape.kernel_y; ky++) {
    for (int c = 0; c < channels; c++) {
      for (int kx = 0; kx < shape.kernel_x; kx++) {
        taps.push_back(static_cast<int32_t>(c * channel + ky * shape.dilation_y * row +
                                            kx * shape.dilation_x * column));
      }
    }
  }
  return taps;
}

// How many of the kernel's rows lie less than `rows` below its first.
inline int kernel_rows_above(const Shape& shape, int rows) {
  if (rows <= 0) return 0;
  return std::min((rows + shape.dilation_y - 1) / shape.dilation_y, shape.kernel_y);
}

// Which of those taps lie in rows of the image, where the kernel's first row is `top`: the others
// add nothing.
inline Part taps_inside(const Shape& shape, int channels, int height, int top) {
  const int row = channels * shape.kernel_x;
  const int begin = kernel_rows_above(shape, -top) * row;
  return {begin, kernel_rows_above(shape, height - top) * row - begin};
}

// The weights of some outputs, side by side for each tap in that order.
inline void pack_kernel(const float* weight, const Shape& shape, int channels, const Part& outputs,
                        float* to) {
  const int kernel = shape.kernel_y * shape.kernel_x;
  for (int ky = 0; ky < shape.kernel_y; ky++) {
    for (int c = 0; c < channels; c++) {
      for (int kx = 0; kx < shape.kernel_x; kx++) {
        for (int q = 0; q < outputs.count; q++) {
          const long row = static_cast<long>(outputs.first + q) * channels + c;
          *to++ = weight[row * kernel + ky * shape.kernel_x + kx];
        }
      }
    }
  }
}
