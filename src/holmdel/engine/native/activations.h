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

// Some rows of sums, where their activated and pooled values go, and what is kept for backward:
// of an average the slope d out / d sum of every sum, of a maximum which sum of the window it is.
// Without pooling the slope follows from the value.
struct Rows {
  const Lanes* sums;   // window_y rows
  long sums_row;
  int window_y, window_x;
  int count;           // outputs along the row
  Lanes* out;
  Lanes* kept;         // null where nothing is learned
  long kept_row;       // for an average
};

// What comes back for those rows.
struct BackRows {
  const Lanes* given;  // d loss / d out
  const Lanes* out;
  const Lanes* kept;
  long kept_row;
  int window_y, window_x;
  int count;
  Lanes* deltas;       // d loss / d sum; may be what is kept of an average
  long deltas_row;
};

// kWindow is the window's height and width where it is known, else 0.
template <Activation kActivation, Pooling kPooling, int kWindow>
void activate_rows(const Rows& a) {
  const int window_y = kWindow ? kWindow : a.window_y, window_x = kWindow ? kWindow : a.window_x;
  const Lanes part = all(1.f / (window_y * window_x));
  for (int x = 0; x < a.count; x++) {
    const Lanes* __restrict sums = a.sums + x * window_x;
    if constexpr (kPooling == Pooling::kNone) {
      a.out[x] = activated<kActivation>(sums[0]);
    } else if constexpr (kPooling == Pooling::kMax) {
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
      a.out[x] = activated<kActivation>(best);
      if (a.kept) a.kept[x] = reinterpret_cast<Lanes>(where);
    } else {
      Lanes* __restrict kept = a.kept ? a.kept + x * window_x : nullptr;
      Lanes total{};
      for (int i = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++) {
          const Lanes y = activated<kActivation>(sums[i * a.sums_row + j]);
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
Lanes back_rows(const BackRows& a) {
  const int window_y = kWindow ? kWindow : a.window_y, window_x = kWindow ? kWindow : a.window_x;
  Lanes total{};
  for (int x = 0; x < a.count; x++) {
    Lanes* __restrict deltas = a.deltas + x * window_x;
    if constexpr (kPooling == Pooling::kNone) {
      deltas[0] = a.given[x] * slope_of<kActivation>(a.out[x]);
      total += deltas[0];
    } else if constexpr (kPooling == Pooling::kMax) {
      const Lanes delta = a.given[x] * slope_of<kActivation>(a.out[x]);
      const IntLanes where = reinterpret_cast<IntLanes>(a.kept[x]);
      for (int i = 0, place = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++, place++) {
          deltas[i * a.deltas_row + j] = where == place ? delta : Lanes{};
        }
      }
      total += delta;
    } else {
      const Lanes value = a.given[x];
      for (int i = 0; i < window_y; i++) {
        for (int j = 0; j < window_x; j++) {
          const Lanes delta = a.kept[i * a.kept_row + x * window_x + j] * value;
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
  Lanes (*backward)(const BackRows&);
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
