// One float of each of kLanes images, side by side in a vector register.
//
// Everything in the engine is written with this one type, so that the compiler makes AVX-512, AVX2,
// NEON or plain SSE2 of the same source.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>
constexpr int kLanes = 16;
constexpr int kRegisters = 32;
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
constexpr int kLanes = 8;
constexpr int kRegisters = 16;
#else
constexpr int kLanes = 4;
#if defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif
#endif

#define HOLMDEL_INLINE inline __attribute__((always_inline))
#define HOLMDEL_UNROLL _Pragma("GCC unroll 64")

typedef float Vector __attribute__((vector_size(kLanes * 4)));
typedef int32_t IntVector __attribute__((vector_size(kLanes * 4)));
typedef float LooseVector __attribute__((vector_size(kLanes * 4), aligned(4)));  // at any address

HOLMDEL_INLINE Vector all(float value) { return value - Vector{}; }  // v + 0 is not v for -0

HOLMDEL_INLINE Vector load(const float* from) { return *reinterpret_cast<const LooseVector*>(from); }

HOLMDEL_INLINE Vector load(const uint8_t* from) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  return (Vector)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)from)));
#elif defined(__AVX2__) && defined(__FMA__)
  return (Vector)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)from)));
#else
  Vector values;
  for (int lane = 0; lane < kLanes; lane++) values[lane] = from[lane];
  return values;
#endif
}

HOLMDEL_INLINE void store(float* to, Vector value) { *reinterpret_cast<LooseVector*>(to) = value; }

// The bounded value; NaN stays NaN, as in the instructions where the second operand wins.
HOLMDEL_INLINE Vector at_most(Vector value, float bound) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  return (Vector)_mm512_min_ps((__m512)all(bound), (__m512)value);
#elif defined(__AVX2__) && defined(__FMA__)
  return (Vector)_mm256_min_ps((__m256)all(bound), (__m256)value);
#else
  return all(bound) < value ? all(bound) : value;
#endif
}

HOLMDEL_INLINE Vector at_least(Vector value, float bound) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  return (Vector)_mm512_max_ps((__m512)all(bound), (__m512)value);
#elif defined(__AVX2__) && defined(__FMA__)
  return (Vector)_mm256_max_ps((__m256)all(bound), (__m256)value);
#else
  return all(bound) > value ? all(bound) : value;
#endif
}

HOLMDEL_INLINE float sum(Vector value) {
  float total = 0;  // in the order of the lanes, so that the result is the same on every machine
  for (int lane = 0; lane < kLanes; lane++) total += value[lane];
  return total;
}

// 2 to the power of x, x kept within -126..126, to 1e-7: a polynomial of degree 5 over the part
// behind the point, its relative error as even as can be (Remez), and the whole part as exponent.
HOLMDEL_INLINE Vector power_of_two(Vector x) {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  const __m512 t = (__m512)at_most(x, 126.f);
  const Vector rest = (Vector)_mm512_reduce_ps(t, 1);  // x - floor(x)
  Vector p = all(0.0018775759402495928f) * rest + 0.008989341869226314f;
  p = p * rest + 0.055826316560538186f;
  p = p * rest + 0.24015361754868964f;
  p = p * rest + 0.6931530731418084f;
  p = p * rest + 0.9999999250645699f;
  return (Vector)_mm512_scalef_ps((__m512)p, t);
#else
  x = at_least(at_most(x, 126.f), -126.f);
  const Vector shifted = x + 12582912.f;  // 1.5 * 2^23: rounds to the nearest whole number
  const Vector rest = x - (shifted - 12582912.f);
  Vector p = all(0.001327647199f) * rest + 0.009675541334f;
  p = p * rest + 0.05550713273f;
  p = p * rest + 0.2402211972f;
  p = p * rest + 0.6931469671f;
  p = p * rest + 1.000000072f;
  const IntVector whole = reinterpret_cast<IntVector>(shifted) << 23;
  return reinterpret_cast<Vector>(reinterpret_cast<IntVector>(p) + whole);
#endif
}

constexpr float kLog2E = 1.44269504f;

// e to the power of x in -87..87, to 1e-7 also where x is large: what is left of x after whole
// powers of two is found in two steps, ln 2 being split (Cody and Waite; the polynomial is Moshier's).
HOLMDEL_INLINE Vector exponential(Vector x) {
  x = at_least(at_most(x, 87.f), -87.f);
  const Vector shifted = x * kLog2E + 12582912.f;
  const Vector whole = shifted - 12582912.f;
  const Vector rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Vector p = all(1.9875691500e-4f) * rest + 1.3981999507e-3f;
  p = p * rest + 8.3334519073e-3f;
  p = p * rest + 4.1665795894e-2f;
  p = p * rest + 1.6666665459e-1f;
  p = p * rest + 5.0000001201e-1f;
  p = p * (rest * rest) + rest + 1.f;
  const IntVector power = reinterpret_cast<IntVector>(shifted) << 23;
  return reinterpret_cast<Vector>(reinterpret_cast<IntVector>(p) + power);
}

// 1 / x for x of 1 and above.
HOLMDEL_INLINE Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
  const Vector r = (Vector)_mm512_rcp14_ps((__m512)x);  // 14 bits; a step of Newton's doubles them
  return r * (all(2.f) - x * r);
#elif defined(__AVX2__) && defined(__FMA__)
  const Vector r = (Vector)_mm256_rcp_ps((__m256)x);  // 12 bits
  return r * (all(2.f) - x * r);
#else
  return all(1.f) / x;
#endif
}

HOLMDEL_INLINE Vector sigmoid(Vector x) { return reciprocal(power_of_two(x * -kLog2E) + 1.f); }

HOLMDEL_INLINE Vector tangent(Vector x) {
  return reciprocal(power_of_two(x * (-2 * kLog2E)) + 1.f) * 2.f - 1.f;
}

// Turns kLanes vectors of kLanes into their transpose, by log2(kLanes) perfect shuffles.
HOLMDEL_INLINE void transpose(Vector (&rows)[kLanes]) {
  IntVector low, high;
  for (int lane = 0; lane < kLanes; lane++) {
    low[lane] = lane / 2 + (lane % 2) * kLanes;
    high[lane] = low[lane] + kLanes / 2;
  }
  for (int span = 1; span < kLanes; span *= 2) {
    Vector mixed[kLanes];
    HOLMDEL_UNROLL
    for (int i = 0; i < kLanes / 2; i++) {
#if defined(__clang__)
      for (int lane = 0; lane < kLanes; lane++) {
        const int from = lane / 2;
        mixed[2 * i][lane] = lane % 2 ? rows[i + kLanes / 2][from] : rows[i][from];
        const int upper = from + kLanes / 2;
        mixed[2 * i + 1][lane] = lane % 2 ? rows[i + kLanes / 2][upper] : rows[i][upper];
      }
#else
      mixed[2 * i] = __builtin_shuffle(rows[i], rows[i + kLanes / 2], low);
      mixed[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + kLanes / 2], high);
#endif
    }
    HOLMDEL_UNROLL
    for (int i = 0; i < kLanes; i++) rows[i] = mixed[i];
  }
}

// The even and the odd lanes of two vectors that follow each other.
HOLMDEL_INLINE void unzip(Vector first, Vector second, Vector& even, Vector& odd) {
#if defined(__clang__)
  for (int lane = 0; lane < kLanes; lane++) {
    const int at = 2 * lane % kLanes;
    even[lane] = lane < kLanes / 2 ? first[at] : second[at];
    odd[lane] = lane < kLanes / 2 ? first[at + 1] : second[at + 1];
  }
#else
  IntVector where;
  for (int lane = 0; lane < kLanes; lane++) where[lane] = 2 * lane;
  even = __builtin_shuffle(first, second, where);
  odd = __builtin_shuffle(first, second, where + 1);
#endif
}
