// Random numbers that follow from a seed and a place, whatever thread asks and in whichever order.
#pragma once

#include "vector.h"

typedef uint32_t BitVector __attribute__((vector_size(kLanes * 4)));

// Mixes all bits (Chris Wellons' lowbias32).
template <typename Bits>
HOLMDEL_INLINE Bits mixed(Bits x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return x;
}

constexpr uint32_t kGolden = 0x9e3779b9u;

// The key of one image of a batch; `use` keeps apart what it is drawn for.
inline uint32_t image_key(uint64_t seed, uint64_t image, uint32_t use) {
  const auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32);
  return mixed(mixed(mixed(low + static_cast<uint32_t>(image)) ^ high) + use);
}

// Numbers one after the other, in 0..1 without 1.
struct Dice {
  uint32_t key, count = 0;

  float next() { return static_cast<float>(mixed(key + count++ * kGolden) >> 8) * 0x1p-24f; }
  float around_zero() { return 2 * next() - 1; }
};
