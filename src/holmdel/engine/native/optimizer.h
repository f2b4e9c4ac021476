// The steps of torch.optim.SGD and AdamW, in their formulas, of a share of a parameter.
#pragma once

#include <cmath>
#include <cstdint>

enum Rule : int32_t { kNoRule, kSgd, kAdamW };

// A step for one parameter. The names are SGD's; of AdamW `momentum` is its first beta.
struct Step {
  int32_t rule;
  float lr, momentum, decay;
  int32_t nesterov;
  float beta;                     // the second
  float epsilon;
  float correction, root;         // 1 - momentum^t, and the root of 1 - beta^t
};

// The numbers begin..end - 1 of a parameter, one of `parts` shares.
struct Share {
  long begin, end;

  Share(long size, int part, int parts)
      : begin(size * part / parts), end(size * (part + 1) / parts) {}
};

inline void sgd_step(const Step& step, const Share& share, float* __restrict value,
                     const float* __restrict gradient, float* __restrict velocity) {
  for (long k = share.begin; k < share.end; k++) {
    float change = gradient[k] + step.decay * value[k];
    if (velocity) {
      velocity[k] = step.momentum * velocity[k] + change;
      change = step.nesterov ? change + step.momentum * velocity[k] : velocity[k];
    }
    value[k] -= step.lr * change;
  }
}

// Loshchilov and Hutter (2019), algorithm 2.
inline void adamw_step(const Step& step, const Share& share, float* __restrict value,
                       const float* __restrict gradient, float* __restrict mean,
                       float* __restrict square) {
  const float kept = 1 - step.lr * step.decay, rate = step.lr / step.correction;
  const float first = 1 - step.momentum, second = 1 - step.beta, root = 1 / step.root;
  for (long k = share.begin; k < share.end; k++) {
    const float g = gradient[k];
    mean[k] += first * (g - mean[k]);
    square[k] = step.beta * square[k] + second * g * g;
    value[k] = value[k] * kept - rate * mean[k] / (std::sqrt(square[k]) * root + step.epsilon);
  }
}

inline void take_step(const Step& step, const Share& share, float* value, const float* gradient,
                      float* velocity, float* square) {
  if (step.rule == kSgd) sgd_step(step, share, value, gradient, velocity);
  if (step.rule == kAdamW) adamw_step(step, share, value, gradient, velocity, square);
}
