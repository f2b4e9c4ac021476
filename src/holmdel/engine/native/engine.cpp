// The engine's C interface. One library an instruction set is built of this file.

#include <chrono>

#include "alone.h"
#include "chain.h"
#include "dense.h"
#include "pool.h"

#define HOLMDEL_PUBLIC extern "C" __attribute__((visibility("default")))

namespace {

enum Kind : int32_t { kConv, kLinear, kAvgPool, kMaxPool, kSigmoidLayer, kTanhLayer, kReluLayer };

// A layer as Python describes it.
struct Layer {
  int32_t kind;
  int32_t in[3], out[3];  // channels, height, width
  int32_t kernel[2], stride[2], padding[2];
  int32_t count_padding;
  int32_t bias;

  bool pools() const { return kind == kAvgPool || kind == kMaxPool; }
  Pooling pooling() const { return kind == kMaxPool ? Pooling::kMax : Pooling::kAverage; }
  Shape shape() const {
    return {kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]};
  }
  Activation activation() const {
    switch (kind) {
      case kSigmoidLayer: return Activation::kSigmoid;
      case kTanhLayer: return Activation::kTanh;
      case kReluLayer: return Activation::kRelu;
      default: return Activation::kNone;
    }
  }
  // Whether its windows lie side by side inside of the picture.
  bool tiles() const {
    for (int i = 0; i < 2; i++) {
      if (stride[i] != kernel[i] || padding[i] || out[i + 1] * kernel[i] > in[i + 1]) return false;
    }
    return pools();
  }
};

// The layers that one stage does.
struct Bundle {
  const Layer* layer;
  Activation activation = Activation::kNone;
  const Layer* pool = nullptr;

  const int32_t* out = nullptr;
  Grid in() const {
    Grid grid{layer->in[0], layer->in[1], layer->in[2]};
    if (layer->kind == kConv) {
      grid.border_y = layer->padding[0];
      grid.border_x = layer->padding[1];
    }
    grid.flat = layer->kind == kLinear;
    return grid;
  }
};

std::vector<Bundle> bundle(const Layer* layers, int count) {
  std::vector<Bundle> bundles;
  for (int i = 0; i < count;) {
    Bundle found{&layers[i++]};
    const bool weights = found.layer->kind == kConv || found.layer->kind == kLinear;
    if (weights && i < count && layers[i].activation() != Activation::kNone) {
      found.activation = layers[i++].activation();
    }
    if (found.layer->kind == kConv && i < count && layers[i].tiles()) found.pool = &layers[i++];
    found.out = layers[i - 1].out;
    bundles.push_back(found);
  }
  return bundles;
}

std::unique_ptr<Stage> make_stage(const Bundle& bundle, const Grid& out, int slots) {
  const Layer& layer = *bundle.layer;
  switch (layer.kind) {
    case kConv: {
      const Layer* pool = bundle.pool;
      return std::make_unique<Convolution>(bundle.in(), out, layer.shape(), bundle.activation,
                                           pool ? pool->pooling() : Pooling::kNone,
                                           pool ? pool->kernel[0] : 1, pool ? pool->kernel[1] : 1);
    }
    case kLinear: return std::make_unique<Dense>(bundle.in(), out, bundle.activation, slots);
    case kAvgPool:
    case kMaxPool:
      return std::make_unique<Pool>(bundle.in(), out, layer.shape(), layer.pooling(),
                                    layer.count_padding);
    default: return std::make_unique<Alone>(bundle.in(), out, layer.activation());
  }
}

}  // namespace

HOLMDEL_PUBLIC const char* holmdel_instructions() { return HOLMDEL_INSTRUCTIONS; }

HOLMDEL_PUBLIC int holmdel_lanes() { return kLanes; }

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

HOLMDEL_PUBLIC void* holmdel_create(const Layer* layers, int count, const Scaling* scaling,
                                    int slots) {
  try {
    auto chain = std::make_unique<Chain>();
    const auto bundles = bundle(layers, count);
    chain->slots = std::clamp(slots, 1, kMostSlots);
    chain->scaling = *scaling;
    const int32_t* last = bundles.back().out;
    chain->logits = Grid{last[0] * last[1] * last[2], 1, 1};
    chain->logits.flat = true;
    for (std::size_t i = 0; i < bundles.size(); i++) {
      Grid out = chain->logits;
      if (i + 1 < bundles.size()) {
        out = bundles[i + 1].in();
        const int32_t* shape = bundles[i].out;  // what flattening does not change
        if (out.flat) out.channels = shape[0], out.height = shape[1], out.width = shape[2];
      }
      chain->stages.push_back(make_stage(bundles[i], out, chain->slots));
    }
    chain->connect();
    return chain.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

HOLMDEL_PUBLIC void holmdel_free(void* chain) { delete static_cast<Chain*>(chain); }

HOLMDEL_PUBLIC int holmdel_learn(void* chain, const Pictures* pictures, const int64_t* labels,
                                 long count, int threads, float smoothing, float* const* values,
                                 float* const* gradients, const Step* steps,
                                 float* const* velocities, double* loss, int64_t* correct,
                                 long* where) {
  return static_cast<Chain*>(chain)->learn(*pictures, labels, count, threads, smoothing, values,
                                           gradients, steps, velocities, loss, correct, where);
}

HOLMDEL_PUBLIC int holmdel_answer(void* chain, const Pictures* pictures, long count, int threads,
                                  float* const* values, float* to, long* where) {
  return static_cast<Chain*>(chain)->answer(*pictures, count, threads, values, to, where);
}

// Does twelve independent chains of multiply-adds; returns something of them, so that they stay.
__attribute__((noinline)) static float multiply_add(long turns) {
  constexpr int kChains = 12;
  volatile float given = 0.999f;  // unknown to the compiler
  const Lanes factor = all(given), more = all(1.f - given);
  Lanes sums[kChains];
  HOLMDEL_UNROLL
  for (int i = 0; i < kChains; i++) sums[i] = all(1.f + i);
  for (long turn = 0; turn < turns; turn++) {
    HOLMDEL_UNROLL
    for (int i = 0; i < kChains; i++) sums[i] = sums[i] * factor + more;
  }
  Lanes total{};
  HOLMDEL_UNROLL
  for (int i = 0; i < kChains; i++) total += sums[i];
  return sum(total);
}

// Float32 operations that the threads together do in a second, two a multiply-add.
HOLMDEL_PUBLIC double holmdel_peak(int threads, double seconds) {
  std::vector<double> rates(threads);
  Team::get().run(threads, [&](int number) {
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
