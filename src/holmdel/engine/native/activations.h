// Activations and pooling of rows that a layer has just written, while they lie in the cache.
#pragma once

#include "stage.h"

template <Activation kActivation>
HOLMDEL_INLINE Vector activated(Vector x) {
  if constexpr (kActivation == Activation::kSigmoid) return sigmoid(x);
  if constexpr (kActivation == Activation::kTanh) return tangent(x);
  if constexpr (kActivation == Activation::kRelu) return x < 0.f ? Vector{} : x;  // keeps NaN
  return x;
}

// The derivative, from the activated value.
template <Activation kActivation>
HOLMDEL_INLINE Vector slope_of(Vector y) {
  if constexpr (kActivation == Activation::kSigmoid) return y - y * y;
  if constexpr (kActivation == Activation::kTanh) return 1.f - y * y;
  if constexpr (kActivation == Activation::kRelu) return y > 0.f ? all(1.f) : Vector{};
  return all(1.f);
}

// Some rows of sums, where their activated and pooled values go, and what is kept for backward:
// of an average the slope d out / d sum of every sum, of a maximum which sum of the window it is.
// Without pooling the slope follows from the value.
struct Rows {
  const Vector* sums;   // window_y rows
  long sums_row;
  int window_y, window_x;
  int count;           // outputs along the row
  Vector* out;
  Vector* kept;         // null where nothing is learned
  long kept_row;       // for an average
};

// What comes back for those rows.
struct BackRows {
  const Vector* given;  // d loss / d out
  const Vector* out;
  const Vector* kept;
  long kept_row;
  int window_y, window_x;
  int count;
  Vector* deltas;       // d loss / d sum; may be what is kept of an average
  long deltas_row;
};

// kWindow is the window's height and width where it is known, else 0.
template <Activation kActivation, Pooling kPooling, int kWindow>
void activate_rows(const Rows& a) {
  const int window_y = kWindow ? kWindow : a.window_y, window_x = kWindow ? kWindow : a.window_x;
  const Vector part = all(1.f / (window_y * window_x));
  for (int x = 0; x < a.count; x++) {
    const Vector* __restrict sums = a.sums + x * window_x;
    if constexpr (kPooling == Pooling::kNone) {
      a.out[x] = activated<kActivation>(sums[0]);
    } else if constexpr (kPooling == Pooling::kMax) {
      Vector best = sums[0];  // an activation does not change which is largest: one is enough
      IntVector where{};
      for (int i = 0, place = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++, place++) {  // the first of equals stays, a NaN wins
          const Vector sum = sums[i * a.sums_row + j];
          const IntVector better = (sum > best) | (sum != sum);
          best = better ? sum : best;
          where = better ? IntVector{} + place : where;
        }
      }
      a.out[x] = activated<kActivation>(best);
      if (a.kept) a.kept[x] = reinterpret_cast<Vector>(where);
    } else {
      Vector* __restrict kept = a.kept ? a.kept + x * window_x : nullptr;
      Vector total{};
      for (int i = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++) {
          const Vector y = activated<kActivation>(sums[i * a.sums_row + j]);
          total += y;
          if (kept) kept[i * a.kept_row + j] = slope_of<kActivation>(y) * part;
        }
      }
      a.out[x] = total * part;
    }
  }
}

// Writes the gradients of the sums; returns their total.
template <Activation kActivation, Pooling kPooling, int kWindow>
Vector back_rows(const BackRows& a) {
  const int window_y = kWindow ? kWindow : a.window_y, window_x = kWindow ? kWindow : a.window_x;
  Vector total{};
  for (int x = 0; x < a.count; x++) {
    Vector* __restrict deltas = a.deltas + x * window_x;
    if constexpr (kPooling == Pooling::kNone) {
      deltas[0] = a.given[x] * slope_of<kActivation>(a.out[x]);
      total += deltas[0];
    } else if constexpr (kPooling == Pooling::kMax) {
      const Vector delta = a.given[x] * slope_of<kActivation>(a.out[x]);
      const IntVector where = reinterpret_cast<IntVector>(a.kept[x]);
      for (int i = 0, place = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++, place++) {
          deltas[i * a.deltas_row + j] = where == place ? delta : Vector{};
        }
      }
      total += delta;
    } else {
      const Vector value = a.given[x];
      for (int i = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++) {
          const Vector delta = a.kept[i * a.kept_row + x * window_x + j] * value;
          deltas[i * a.deltas_row + j] = delta;
          total += delta;
        }
      }
    }
  }
  return total;
}

// The two functions of an activation with a pooling.
struct RowFunctions {
  void (*forward)(const Rows&);
  Vector (*backward)(const BackRows&);
};

template <Activation kActivation, Pooling kPooling, int kWindow>
RowFunctions functions_of() {
  return {&activate_rows<kActivation, kPooling, kWindow>,
          &back_rows<kActivation, kPooling, kWindow>};
}

template <Activation kActivation>
RowFunctions functions_of(Pooling pooling, int window_y, int window_x) {
  const bool two = window_y == 2 && window_x == 2;
  switch (pooling) {
    case Pooling::kMax:
      return two ? functions_of<kActivation, Pooling::kMax, 2>()
                 : functions_of<kActivation, Pooling::kMax, 0>();
    case Pooling::kAverage:
      return two ? functions_of<kActivation, Pooling::kAverage, 2>()
                 : functions_of<kActivation, Pooling::kAverage, 0>();
    default: return functions_of<kActivation, Pooling::kNone, 1>();
  }
}

inline RowFunctions choose_functions(Activation activation, Pooling pooling, int y, int x) {
  switch (activation) {
    case Activation::kSigmoid: return functions_of<Activation::kSigmoid>(pooling, y, x);
    case Activation::kTanh: return functions_of<Activation::kTanh>(pooling, y, x);
    case Activation::kRelu: return functions_of<Activation::kRelu>(pooling, y, x);
    default: return functions_of<Activation::kNone>(pooling, y, x);
  }
}
