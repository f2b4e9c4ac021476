// The inner loop for a single image, for every tile of registers.
#pragma once

#include <array>
#include <utility>

#include "vector.h"

// multiply_tile: a tile of kAlong places x kVectors vectors of outputs, summed over taps,
//     sums[j][v] = bias[v] + sum over t of input[taps[t] + j * step] * weights[t][v].
struct TileOperands {
  const float* weights;
  long weight_step;      // floats from tap to tap
  const float* input;
  const int32_t* taps;   // floats from `input`
  int count;
  long step;             // floats from place to place
  const float* bias;
  float* sums;
  long sums_step;        // floats from place to place
};

template <typename V, int kAlong, int kVectors, bool kUnitStep>
void multiply_tile(const TileOperands& a) {
  constexpr int kWidth = sizeof(V) / sizeof(float);
  typedef V Loose __attribute__((aligned(4)));
  V sums[kAlong][kVectors];
  HOLMDEL_UNROLL
  for (int j = 0; j < kAlong; j++) {
    HOLMDEL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      sums[j][v] = *reinterpret_cast<const Loose*>(a.bias + v * kWidth);
    }
  }
  const float* weights = a.weights;
  const long step = kUnitStep ? 1 : a.step;
  for (int t = 0; t < a.count; t++) {
    const float* from = a.input + a.taps[t];
    V weight[kVectors];
    HOLMDEL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      weight[v] = *reinterpret_cast<const Loose*>(weights + v * kWidth);
    }
    HOLMDEL_UNROLL
    for (int j = 0; j < kAlong; j++) {
      const V value = from[j * step] - V{};
      HOLMDEL_UNROLL
      for (int v = 0; v < kVectors; v++) sums[j][v] += value * weight[v];
    }
    weights += a.weight_step;
  }
  HOLMDEL_UNROLL
  for (int j = 0; j < kAlong; j++) {
    HOLMDEL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      *reinterpret_cast<Loose*>(a.sums + j * a.sums_step + v * kWidth) = sums[j][v];
    }
  }
}

typedef void (*MultiplyTile)(const TileOperands&);
constexpr int kMostPlaces = 14, kMostVectors = 8;

constexpr bool tile_fits(int along, int vectors) {
  return along * vectors + vectors + 1 <= (kRegisters < 32 ? kRegisters : 28);
}

template <typename V, int kAlong, int kVectors, bool kUnitStep>
constexpr MultiplyTile tile_or_null() {
  if constexpr (tile_fits(kAlong, kVectors)) {
    return &multiply_tile<V, kAlong, kVectors, kUnitStep>;
  } else {
    return nullptr;
  }
}

template <typename V, bool kUnitStep, std::size_t... kIndex>
constexpr auto tile_table(std::index_sequence<kIndex...>) {
  return std::array<MultiplyTile, sizeof...(kIndex)>{
      tile_or_null<V, kIndex / kMostVectors + 1, kIndex % kMostVectors + 1, kUnitStep>()...};
}

constexpr int kHalf = kLanes > 4 ? kLanes / 2 : kLanes;  // a narrow vector, for few outputs
typedef float HalfVector __attribute__((vector_size(kHalf * 4)));
typedef HalfVector LooseHalf __attribute__((aligned(4)));

inline MultiplyTile choose_tile(bool narrow, int along, int vectors, bool unit_step) {
  constexpr auto every = std::make_index_sequence<kMostPlaces * kMostVectors>{};
  static constexpr auto wide = tile_table<Vector, false>(every);
  static constexpr auto wide_unit = tile_table<Vector, true>(every);
  static constexpr auto half = tile_table<HalfVector, false>(every);
  static constexpr auto half_unit = tile_table<HalfVector, true>(every);
  const auto& table = narrow ? (unit_step ? half_unit : half) : (unit_step ? wide_unit : wide);
  return table[(along - 1) * kMostVectors + vectors - 1];
}
