// Softmax and cross-entropy of a slot's logits, and their gradient.
#pragma once

#include <cmath>

#include "stage.h"

// The images of a slot: how many there are, their labels, and what the loss is made of.
struct Truth {
  int count;                // of kLanes; the others add nothing
  const int64_t* labels;    // one an image
  float part;               // 1 / images of the batch
  float smoothing;          // Szegedy et al. (2016), section 7, over all classes as in PyTorch
};

// Adds to thread.loss (a sum over images) and thread.correct, and writes d mean loss / d logits.
inline void cross_entropy(Thread& thread, const Vector* logits, int classes, const Truth& truth,
                          Vector* gradient) {
  Vector most = logits[0];
  IntVector said{};
  for (int k = 1; k < classes; k++) {
    const IntVector better = logits[k] > most;
    most = better ? logits[k] : most;
    said = better ? IntVector{} + k : said;
  }
  Vector total{}, mean{};
  for (int k = 0; k < classes; k++) {
    gradient[k] = exponential(logits[k] - most);
    total += gradient[k];
    mean += logits[k];
  }
  mean = mean * (1.f / classes);
  IntVector labels{};
  Vector part{};
  for (int lane = 0; lane < truth.count; lane++) {
    labels[lane] = static_cast<int32_t>(truth.labels[lane]);
    part[lane] = truth.part;
  }
  const Vector normal = part / total;
  const Vector uniform = part * (truth.smoothing / classes), one = part * (1.f - truth.smoothing);
  Vector chosen{};
  for (int k = 0; k < classes; k++) {
    const IntVector is = labels == k;
    chosen = is ? logits[k] : chosen;
    gradient[k] = gradient[k] * normal - uniform - (is ? one : Vector{});
  }
  for (int lane = 0; lane < truth.count; lane++) {
    const double log_sum = std::log(static_cast<double>(total[lane])) + most[lane];
    thread.loss += log_sum - (1.0 - truth.smoothing) * chosen[lane] -
                   static_cast<double>(truth.smoothing) * mean[lane];
    thread.correct += said[lane] == labels[lane];
  }
}
