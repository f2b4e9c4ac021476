// The engine's C interface. One library an instruction set is built of this file.

#include <chrono>

#include "activation_stage.h"
#include "chain_inference.h"
#include "chain_learning.h"
#include "check.h"
#include "dense.h"
#include "dropout.h"
#include "pooling.h"
#include "single_image.h"
#include "sum.h"

#define HOLMDEL_PUBLIC extern "C" __attribute__((visibility("default")))

namespace {

std::unique_ptr<Stage> make_stage(const Bundle& bundle, const Grid& in, const Grid& out, int slots) {
  const Layer& layer = bundle.layer;
  switch (layer.kind) {
    case kConv:
      return std::make_unique<Convolution>(in, out, layer.shape(), bundle.activation,
                                           bundle.pooling, bundle.window_y, bundle.window_x);
    case kLinear: return std::make_unique<Dense>(in, out, bundle.activation, slots);
    case kAvgPool:
    case kMaxPool:
    case kAdaptivePool: return std::make_unique<Pool>(in, out, layer);
    case kBatchNorm:
      return std::make_unique<BatchNorm>(in, out, bundle.activation, bundle.pooling,
                                         bundle.window_y, bundle.window_x, layer.number,
                                         layer.momentum);
    case kDropout: return std::make_unique<Dropout>(in, out, layer.number);
    case kSum: return std::make_unique<Sum>(in, out, bundle.activation);
    default: break;
  }
  if (layer.curve() != Curve::kNone) {
    return std::make_unique<CurveStage>(in, out, layer.curve(), layer.number);
  }
  return std::make_unique<ActivationStage>(in, out, layer.activation());
}

}  // namespace

// Which form of this interface the library has; Python takes no other.
HOLMDEL_PUBLIC int holmdel_form() { return 4; }

// Whether the processor that runs this has an instruction set; the portable library is asked.
HOLMDEL_PUBLIC int holmdel_has(const char* instructions) {
#if defined(__x86_64__)
  if (!std::strcmp(instructions, "avx512")) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  }
  if (!std::strcmp(instructions, "avx2")) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }
#endif
  return !std::strcmp(instructions, "portable");
}

// Returns a chain; null for layers that do not follow from one another, of which `fault` tells the
// first, and where there is not enough memory.
HOLMDEL_PUBLIC void* holmdel_create(const Layer* layers, int count, const Scaling* scaling,
                                    int slots, Fault* fault) {
  try {
    *fault = find_fault(layers, count, *scaling);
    if (fault->kind != kFollows) return nullptr;
    auto chain = std::make_unique<Chain>();
    const auto bundles = bundle(layers, count);
    chain->slots = std::clamp(slots, 1, kMostSlots);
    chain->scaling = *scaling;
    const auto grids = find_grids(bundles);
    *fault = find_fault(grids);
    if (fault->kind != kFollows) return nullptr;
    const int* last = bundles.back().out;
    chain->logits = Grid{last[0] * last[1] * last[2], 1, 1};
    chain->logits.flat = true;
    for (std::size_t i = 0; i < bundles.size(); i++) {
      const Bundle& one = bundles[i];
      chain->stages.push_back(make_stage(one, grids[one.reads[0]], grids[i + 1], chain->slots));
      Stage& stage = *chain->stages.back();
      stage.reads = one.reads[0];
      stage.also_reads = one.reads[1];
      stage.parameters.folds = one.layer.normalised;
      if (one.layer.normalised) stage.parameters.epsilon = one.layer.number;
    }
    chain->single_image = std::make_unique<SingleImage>(bundles, grids);
    chain->connect();
    return chain.release();
  } catch (const std::exception&) {
    return nullptr;
  }
}

HOLMDEL_PUBLIC void holmdel_free(void* chain) { delete static_cast<Chain*>(chain); }

HOLMDEL_PUBLIC int holmdel_learn(void* chain, const Task* task, Learned* learned) try {
  return static_cast<Chain*>(chain)->learn(*task, *learned);
} catch (const std::exception&) {  // neither memory nor a thread could be had
  return kNoMemory;
}

// Keeps the weights for the answers that follow, if they are others than those that are kept.
HOLMDEL_PUBLIC int holmdel_keep(void* chain, float* const* values, int threads) try {
  static_cast<Chain*>(chain)->keep(values, threads);
  return kDone;
} catch (const std::exception&) {
  return kNoMemory;
}

HOLMDEL_PUBLIC int holmdel_answer(void* chain, const Images* images, long count, int threads,
                                  float* to, long* where) try {
  return static_cast<Chain*>(chain)->answer(*images, count, threads, to, where);
} catch (const std::exception&) {
  return kNoMemory;
}

// As holmdel_answer for one image, with fewer words.
HOLMDEL_PUBLIC int holmdel_answer_one(void* chain, const void* memory, int bytes, float* to) {
  return static_cast<Chain*>(chain)->answer_one(memory, bytes, to) ? kDone : kNotFinite;
}

// Does twelve independent chains of multiply-adds; returns something of them, so that they stay.
__attribute__((noinline)) static float multiply_add(long turns) {
  constexpr int kChains = 12;
  volatile float given = 0.999f;  // unknown to the compiler
  const Vector factor = all(given), more = all(1.f - given);
  Vector sums[kChains];
  HOLMDEL_UNROLL
  for (int i = 0; i < kChains; i++) sums[i] = all(1.f + i);
  for (long turn = 0; turn < turns; turn++) {
    HOLMDEL_UNROLL
    for (int i = 0; i < kChains; i++) sums[i] = sums[i] * factor + more;
  }
  Vector total{};
  HOLMDEL_UNROLL
  for (int i = 0; i < kChains; i++) total += sums[i];
  return sum(total);
}

// Float32 operations that the threads together do in a second, two a multiply-add.
HOLMDEL_PUBLIC double holmdel_peak(int threads, double seconds) {
  std::vector<double> rates(threads);
  ThreadPool::get().run(threads, [&](int number) {
    constexpr long kTurns = 100000, kOperations = 2L * kLanes * 12;
    const auto began = std::chrono::steady_clock::now();
    volatile float kept = 0;
    double passed = 0;
    for (long turns = kTurns; passed < seconds; turns += kTurns) {
      kept = multiply_add(kTurns);
      passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
      rates[number] = kOperations * turns / passed;
    }
    (void)kept;
  });
  double total = 0;
  for (double rate : rates) total += rate;
  return total;
}
