// Which tiles of registers cover a layer best.
#pragma once

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "kernels.h"

template <int kOutputs, int kAlong, bool kUnitStep, bool kAdd>
constexpr Correlate correlate_or_null() {
  if constexpr (fits(kOutputs, kAlong)) {
    return &correlate<kOutputs, kAlong, kUnitStep, kAdd>;
  } else {
    return nullptr;
  }
}

template <int kOutputs, int kTaps, bool kUnitStep>
constexpr Outer outer_or_null() {
  if constexpr (outer_fits(kOutputs, kTaps)) {
    return &outer<kOutputs, kTaps, kUnitStep>;
  } else {
    return nullptr;
  }
}

template <bool kUnitStep, bool kAdd, std::size_t... kIndex>
constexpr auto correlate_table(std::index_sequence<kIndex...>) {
  return std::array<Correlate, sizeof...(kIndex)>{
      correlate_or_null<kIndex / kMostAlong + 1, kIndex % kMostAlong + 1, kUnitStep, kAdd>()...};
}

template <bool kUnitStep, std::size_t... kIndex>
constexpr auto outer_table(std::index_sequence<kIndex...>) {
  return std::array<Outer, sizeof...(kIndex)>{
      outer_or_null<kIndex / kMostTaps + 1, kIndex % kMostTaps + 1, kUnitStep>()...};
}

constexpr auto kEveryTile = std::make_index_sequence<kMostOutputs * kMostAlong>{};
static_assert(kMostAlong == kMostTaps, "one index sequence serves both tables");

inline Correlate correlate_tile(int outputs, int along, bool unit_step, bool add) {
  static constexpr auto plain = correlate_table<true, false>(kEveryTile);
  static constexpr auto adding = correlate_table<true, true>(kEveryTile);
  static constexpr auto stepping = correlate_table<false, false>(kEveryTile);
  static constexpr auto both = correlate_table<false, true>(kEveryTile);
  const auto& table = unit_step ? (add ? adding : plain) : (add ? both : stepping);
  return table[(outputs - 1) * kMostAlong + along - 1];
}

inline Outer outer_tile(int outputs, int taps, bool unit_step) {
  static constexpr auto plain = outer_table<true>(kEveryTile);
  static constexpr auto stepping = outer_table<false>(kEveryTile);
  return (unit_step ? plain : stepping)[(outputs - 1) * kMostTaps + taps - 1];
}

// A stretch of `count` outputs, places or taps that begins at `first`.
struct Part {
  int first, count;
};

// Splits `total` into parts as equal as can be, of at most `most`.
inline std::vector<Part> split(int total, int most) {
  std::vector<Part> parts;
  const int pieces = most > 0 ? (total + most - 1) / most : 0;
  for (int i = 0, first = 0; i < pieces; i++) {
    const int end = static_cast<int>(static_cast<long>(total) * (i + 1) / pieces);
    parts.push_back({first, end - first});
    first = end;
  }
  return parts;
}

// The same parts once for each group of `count`.
inline std::vector<Part> repeat(const std::vector<Part>& parts, int groups, int count) {
  std::vector<Part> all;
  for (int group = 0; group < groups; group++) {
    for (const Part& part : parts) all.push_back({group * count + part.first, part.count});
  }
  return all;
}

// The tiles of a layer: every part of `outputs` by every part of `along`.
struct Tiles {
  std::vector<Part> outputs, along;
};

// Chooses the tiles that need the fewest cycles a tap, by a model: a multiply-add each for a cycle's
// work, the loads, and the time that a sum takes before it can be added to again.
inline Tiles choose_tiles(int outputs, int along, bool (*fit)(int, int) = fits) {
  constexpr int kLatency = 8;
  Tiles best;
  long least = -1;
  for (int q = 1; q <= kMostOutputs; q++) {
    for (int j = 1; j <= kMostAlong; j++) {
      if (!fit(q, j)) continue;
      const Tiles tiles{split(outputs, q), split(along, j)};
      long cycles = 0;
      for (const Part& a : tiles.outputs) {
        for (const Part& b : tiles.along) {
          cycles += std::max({a.count * b.count, a.count + b.count + 1, kLatency}) + 1;
        }
      }
      if (least < 0 || cycles < least) {
        least = cycles;
        best = tiles;
      }
    }
  }
  return best;
}
