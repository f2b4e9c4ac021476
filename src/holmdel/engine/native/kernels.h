// The two inner loops in which the engine spends its time, for every tile of registers.
#pragma once

#include "vector.h"

// correlate: a tile of kOutputs x kAlong sums over taps,
//     sum[q][j] = bias[q] + sum over t of weights[t * weight_step + q] * input[taps[t] + j * step].
//
// A convolution (taps are channels and the kernel's places), its gradient by the input, a dense
// layer (taps are its inputs, along are blocks of images) and a dense layer's gradient by the
// weights (taps are images) are all of this form.
struct Correlation {
  const float* weights;
  long weight_step;     // floats from tap to tap
  const void* input;    // vectors, at any address
  const int32_t* taps;  // bytes from `input`
  int count;            // of taps
  long step;            // vectors of the input from place to place along
  const float* bias;    // one for each output, or null for zero
  Vector* sums;
  long sums_output;     // vectors from output to output
  long sums_along;      // vectors from place to place
};

template <int kOutputs, int kAlong, bool kUnitStep, bool kAdd>
void correlate(const Correlation& a) {
  Vector sums[kOutputs][kAlong];
  HOLMDEL_UNROLL
  for (int q = 0; q < kOutputs; q++) {
    const Vector first = a.bias ? all(a.bias[q]) : Vector{};
    HOLMDEL_UNROLL
    for (int j = 0; j < kAlong; j++) sums[q][j] = first;
  }
  const long step = kUnitStep ? 1 : a.step;
  const float* weights = a.weights;
  const char* input = static_cast<const char*>(a.input);
  for (int t = 0; t < a.count; t++) {
    const LooseVector* from = reinterpret_cast<const LooseVector*>(input + a.taps[t]);
    Vector values[kAlong];
    HOLMDEL_UNROLL
    for (int j = 0; j < kAlong; j++) values[j] = from[j * step];
    HOLMDEL_UNROLL
    for (int q = 0; q < kOutputs; q++) {
      const Vector weight = all(weights[q]);
      HOLMDEL_UNROLL
      for (int j = 0; j < kAlong; j++) sums[q][j] += weight * values[j];
    }
    weights += a.weight_step;
  }
  HOLMDEL_UNROLL
  for (int q = 0; q < kOutputs; q++) {
    HOLMDEL_UNROLL
    for (int j = 0; j < kAlong; j++) {
      Vector* to = a.sums + q * a.sums_output + j * a.sums_along;
      *to = kAdd ? *to + sums[q][j] : sums[q][j];
    }
  }
}

// outer: a tile of kOutputs x kTaps sums over places,
//     sum[q][k] += sum over y, x of deltas[q][y][x] * input[y * rows + x * step + k],
// which is a convolution's gradient by its weights, image by image in the lanes.
struct OuterSum {
  const Vector* deltas;
  long deltas_output;  // vectors from output to output
  long deltas_row;
  const Vector* input;
  long input_row;      // vectors from a row's input to the next row's
  long step;
  int height, width;   // how many places
  Vector* sums;
  long sums_output;
};

template <int kOutputs, int kTaps, bool kUnitStep>
void outer(const OuterSum& a) {
  Vector sums[kOutputs][kTaps];
  HOLMDEL_UNROLL
  for (int q = 0; q < kOutputs; q++) {
    HOLMDEL_UNROLL
    for (int k = 0; k < kTaps; k++) sums[q][k] = a.sums[q * a.sums_output + k];
  }
  const long step = kUnitStep ? 1 : a.step;
  for (int y = 0; y < a.height; y++) {
    const Vector* deltas = a.deltas + y * a.deltas_row;
    const Vector* input = a.input + y * a.input_row;
    for (int x = 0; x < a.width; x++) {
      Vector delta[kOutputs];
      HOLMDEL_UNROLL
      for (int q = 0; q < kOutputs; q++) delta[q] = deltas[q * a.deltas_output + x];
      HOLMDEL_UNROLL
      for (int k = 0; k < kTaps; k++) {
        const Vector value = input[x * step + k];
        HOLMDEL_UNROLL
        for (int q = 0; q < kOutputs; q++) sums[q][k] += delta[q] * value;
      }
    }
  }
  HOLMDEL_UNROLL
  for (int q = 0; q < kOutputs; q++) {
    HOLMDEL_UNROLL
    for (int k = 0; k < kTaps; k++) a.sums[q * a.sums_output + k] = sums[q][k];
  }
}

constexpr int kMostOutputs = 8, kMostAlong = 7, kMostTaps = 7;

// Whether a tile's sums, and what they are made of, fit into the registers.
constexpr bool fits(int outputs, int along) {
  return outputs * along + along + 1 <= kRegisters;
}

constexpr bool outer_fits(int outputs, int taps) {
  return outputs * taps + outputs + 1 <= kRegisters;
}

typedef void (*Correlate)(const Correlation&);
typedef void (*Outer)(const OuterSum&);

// The tiles that were compiled; null where one does not fit.
Correlate correlate_tile(int outputs, int along, bool unit_step, bool add);
Outer outer_tile(int outputs, int taps, bool unit_step);
