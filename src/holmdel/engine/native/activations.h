// Activations and pooling of rows that a layer has just written, while they lie in the cache.
#pragma once

#include "stage.h"

template <Activation kActivation>
HOLMDEL_INLINE Lanes activated(Lanes x) {
  if constexpr (kActivation == Activation::kSigmoid) return sigmoid(x);
  if constexpr (kActivation == Activation::kTanh) return tangent(x);
  if constexpr (kActivation == Activation::kRelu) return x < 0.f ? Lanes{} : x;  // keeps NaN
  return x;
}

// The derivative, from the activated value.
template <Activation kActivation>
HOLMDEL_INLINE Lanes slope_of(Lanes y) {
  if constexpr (kActivation == Activation::kSigmoid) return y - y * y;
  if constexpr (kActivation == Activation::kTanh) return 1.f - y * y;
  if constexpr (kActivation == Activation::kRelu) return y > 0.f ? all(1.f) : Lanes{};
  return all(1.f);
}

// Some rows of sums, and where their activated, pooled values and slopes go.
struct Rows {
  const Lanes* sums;   // window_y rows
  long sums_row;
  int window_y, window_x;
  int count;           // outputs along the row
  Lanes* out;
  Lanes* slope;        // null where nothing is learned
  long slope_row;
};

// kWindow is the window's height and width where it is known, else 0.
template <Activation kActivation, Pooling kPooling, int kWindow>
void activate_rows(const Rows& a) {
  const int window_y = kWindow ? kWindow : a.window_y, window_x = kWindow ? kWindow : a.window_x;
  const Lanes part = all(1.f / (window_y * window_x));
  for (int x = 0; x < a.count; x++) {
    const Lanes* __restrict sums = a.sums + x * window_x;
    Lanes* __restrict slope = a.slope ? a.slope + x * window_x : nullptr;
    if constexpr (kPooling == Pooling::kMax) {
      Lanes best = sums[0];  // an activation does not change which is largest: one is enough
      IntLanes where{};
      for (int i = 0, place = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++, place++) {  // the first of equals stays, a NaN wins
          const Lanes sum = sums[i * a.sums_row + j];
          const IntLanes better = (sum > best) | (sum != sum);
          best = better ? sum : best;
          where = better ? IntLanes{} + place : where;
        }
      }
      best = activated<kActivation>(best);
      a.out[x] = best;
      if (slope) {
        const Lanes rise = slope_of<kActivation>(best);
        for (int i = 0, place = 0; i < window_y; i++) {
          for (int j = 0; j < window_x; j++, place++) {
            slope[i * a.slope_row + j] = where == place ? rise : Lanes{};
          }
        }
      }
    } else {
      Lanes total{};
      for (int i = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++) {
          const Lanes y = activated<kActivation>(sums[i * a.sums_row + j]);
          total += y;
          if (slope) slope[i * a.slope_row + j] = slope_of<kActivation>(y) * part;
        }
      }
      a.out[x] = total * part;
    }
  }
}

typedef void (*ActivateRows)(const Rows&);

template <Activation kActivation>
ActivateRows activate_rows_of(Pooling pooling, int window_y, int window_x) {
  const bool two = window_y == 2 && window_x == 2;
  if (pooling == Pooling::kMax) {
    return two ? &activate_rows<kActivation, Pooling::kMax, 2>
               : &activate_rows<kActivation, Pooling::kMax, 0>;
  }
  if (pooling == Pooling::kAverage) {
    return two ? &activate_rows<kActivation, Pooling::kAverage, 2>
               : &activate_rows<kActivation, Pooling::kAverage, 0>;
  }
  return &activate_rows<kActivation, Pooling::kNone, 1>;
}

inline ActivateRows choose_rows(Activation activation, Pooling pooling, int y, int x) {
  switch (activation) {
    case Activation::kSigmoid: return activate_rows_of<Activation::kSigmoid>(pooling, y, x);
    case Activation::kTanh: return activate_rows_of<Activation::kTanh>(pooling, y, x);
    case Activation::kRelu: return activate_rows_of<Activation::kRelu>(pooling, y, x);
    default: return activate_rows_of<Activation::kNone>(pooling, y, x);
  }
}
