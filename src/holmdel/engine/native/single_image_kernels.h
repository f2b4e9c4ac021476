// The inner loop for a single image, for every tile of registers.
#pragma once

#include <array>
#include <utility>

#include "vector.h"

// spread: a tile of kAlong places x kVectors vectors of outputs, summed over taps,
//     sums[j][v] = bias[v] + sum over t of input[taps[t] + j * step] * weights[t][v].
struct Spread {
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

template <typename Vector, int kAlong, int kVectors, bool kUnitStep>
void spread(const Spread& a) {
  constexpr int kWidth = sizeof(Vector) / sizeof(float);
  typedef Vector Loose __attribute__((aligned(4)));
  Vector sums[kAlong][kVectors];
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
    Vector weight[kVectors];
    HOLMDEL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      weight[v] = *reinterpret_cast<const Loose*>(weights + v * kWidth);
    }
    HOLMDEL_UNROLL
    for (int j = 0; j < kAlong; j++) {
      const Vector value = from[j * step] - Vector{};
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

typedef void (*SpreadTile)(const Spread&);
constexpr int kMostPlaces = 14, kMostVectors = 8;

constexpr bool spread_fits(int along, int vectors) {
  return along * vectors + vectors + 1 <= (kRegisters < 32 ? kRegisters : 28);
}

template <typename Vector, int kAlong, int kVectors, bool kUnitStep>
constexpr SpreadTile spread_or_null() {
  if constexpr (spread_fits(kAlong, kVectors)) {
    return &spread<Vector, kAlong, kVectors, kUnitStep>;
  } else {
    return nullptr;
  }
}

template <typename Vector, bool kUnitStep, std::size_t... kIndex>
constexpr auto spread_table(std::index_sequence<kIndex...>) {
  return std::array<SpreadTile, sizeof...(kIndex)>{
      spread_or_null<Vector, kIndex / kMostVectors + 1, kIndex % kMostVectors + 1, kUnitStep>()...};
}

constexpr int kHalf = kLanes > 4 ? kLanes / 2 : kLanes;  // a narrow vector, for few outputs
typedef float HalfLanes __attribute__((vector_size(kHalf * 4)));
typedef HalfLanes LooseHalf __attribute__((aligned(4)));

inline SpreadTile spread_tile(bool narrow, int along, int vectors, bool unit_step) {
  constexpr auto every = std::make_index_sequence<kMostPlaces * kMostVectors>{};
  static constexpr auto wide = spread_table<Lanes, false>(every);
  static constexpr auto wide_unit = spread_table<Lanes, true>(every);
  static constexpr auto half = spread_table<HalfLanes, false>(every);
  static constexpr auto half_unit = spread_table<HalfLanes, true>(every);
  const auto& table = narrow ? (unit_step ? half_unit : half) : (unit_step ? wide_unit : wide);
  return table[(along - 1) * kMostVectors + vectors - 1];
}
