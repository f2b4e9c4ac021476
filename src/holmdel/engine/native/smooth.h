// Activations whose slope does not follow from their value: LeakyReLU, GELU, SiLU.
#pragma once

#include "stage.h"

enum class Curve : int32_t { kNone, kLeaky, kGelu, kGeluTanh, kSilu };

constexpr float kRootOfHalf = 0.70710678f, kRootOfTwoOverPi = 0.79788456f;

// The error function, to 1.5e-7: Abramowitz and Stegun (1964), 7.1.26; `bell` becomes e^(-x * x).
HOLMDEL_INLINE Vector error_function(Vector x, Vector& bell) {
  const Vector size = x < 0.f ? -x : x;
  const Vector t = all(1.f) / (size * 0.3275911f + 1.f);
  bell = exponential(-x * x);
  Vector p = all(1.061405429f) * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Vector value = all(1.f) - p * t * bell;
  return x < 0.f ? -value : value;
}

// The value of a curve at x, and its slope there; `number` is a LeakyReLU's slope below zero.
template <Curve kCurve>
HOLMDEL_INLINE Vector curve(Vector x, float number, Vector& slope) {
  if constexpr (kCurve == Curve::kLeaky) {
    slope = x > 0.f ? all(1.f) : all(number);
    return x * slope;
  } else if constexpr (kCurve == Curve::kGelu) {  // x P(X <= x), Hendrycks and Gimpel (2016)
    Vector bell;
    const Vector part = (error_function(x * kRootOfHalf, bell) + 1.f) * 0.5f;
    slope = part + x * bell * (0.5f * kRootOfHalf * 1.12837917f);
    return x * part;
  } else if constexpr (kCurve == Curve::kGeluTanh) {
    const Vector t = tangent((x + x * x * x * 0.044715f) * kRootOfTwoOverPi);
    const Vector inner = (x * x * (3 * 0.044715f) + 1.f) * kRootOfTwoOverPi;
    slope = (t + 1.f) * 0.5f + x * (all(1.f) - t * t) * inner * 0.5f;
    return x * (t + 1.f) * 0.5f;
  } else {  // x times its sigmoid
    const Vector s = sigmoid(x);
    slope = s + x * s * (all(1.f) - s);
    return x * s;
  }
}

struct CurveRow {
  const Vector* from;
  const Vector* given;  // null forward
  int count;
  float number;
  Vector* to;  // values, or `given` times the slopes
};

template <Curve kCurve>
void along_curve(const CurveRow& a) {
  for (int x = 0; x < a.count; x++) {
    Vector slope;
    const Vector value = curve<kCurve>(a.from[x], a.number, slope);
    a.to[x] = a.given ? a.given[x] * slope : value;
  }
}

inline auto choose_curve(Curve curve) {
  switch (curve) {
    case Curve::kLeaky: return &along_curve<Curve::kLeaky>;
    case Curve::kGelu: return &along_curve<Curve::kGelu>;
    case Curve::kGeluTanh: return &along_curve<Curve::kGeluTanh>;
    default: return &along_curve<Curve::kSilu>;
  }
}

class CurveStage final : public Stage {
 public:
  CurveStage(Grid in_, Grid out_, Curve curve, float number)
      : along_(choose_curve(curve)), number_(number) {
    in = in_;
    out = out_;
  }

  void allocate(Room&, int) const override {}
  void pack(int, int, bool) override {}

  void forward(Thread& thread, int slot, int, bool) const override {
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        along_({input(thread, slot) + in.at(c, y, 0), nullptr, in.width, number_,
                output(thread, slot) + out.at(c, y, 0)});
      }
    }
  }

  void backward(Thread& thread, int slot, int) const override {
    if (first) return;
    for (int c = 0; c < in.channels; c++) {
      for (int y = 0; y < in.height; y++) {
        along_({input(thread, slot) + in.at(c, y, 0), given(thread, slot) + out.at(c, y, 0),
                in.width, number_, gradient(thread, slot) + in.at(c, y, 0)});
      }
    }
  }

 private:
  void (*along_)(const CurveRow&);
  float number_;
};
