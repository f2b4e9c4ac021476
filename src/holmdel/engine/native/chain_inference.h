// Inference of a chain: weights that are kept, logits of a batch, logits of a single image.
#pragma once

#include "chain.h"

inline void Chain::keep(float* const* values, int threads) {
  std::lock_guard<std::mutex> lock(work().one_at_a_time);
  take_values(values);
  if (same_as_kept()) return;
  single_image->pack(values);
  threads = std::clamp(threads, 1, kMostThreads);
  ThreadPool::get().run(threads, [&](int number) {
    for (auto& stage : stages) stage->pack(number, threads, false);
  });
}

// Whether the values are those that were kept; if not, they are copied, to be compared with.
inline bool Chain::same_as_kept() {
  std::vector<float>& kept_ = work().kept;
  bool same = !kept_.empty();
  kept_.resize(parameter_count);
  for (const auto& stage : stages) {
    const Parameters& p = stage->parameters;
    const auto compare = [&](const float* value, long count, long at) {
      if (!value || (same && !std::memcmp(&kept_[at], value, count * sizeof(float)))) return;
      same = false;
      std::copy_n(value, count, &kept_[at]);
    };
    compare(p.weight, p.weight_count, p.weight_at);
    compare(p.bias, p.bias_count, p.bias_at);
  }
  return same;
}

inline Outcome Chain::answer(const Images& images, long count, int threads, float* to,
                             long* where) {
  Work& own = work();
  std::lock_guard<std::mutex> lock(own.one_at_a_time);
  const auto& threads_ = own.threads;
  const long blocks = (count + kLanes - 1) / kLanes;
  threads = static_cast<int>(std::clamp<long>(threads, 1, std::min<long>(blocks, kMostThreads)));
  allocate(threads);
  ThreadPool::get().run(threads, [&](int number) {
    Thread& thread = *threads_[number];
    thread.bad_image = -1;
    const long last = std::min(count, blocks * (number + 1) / threads * kLanes);
    for (long at = blocks * number / threads * kLanes; at < last; at += slots * kLanes) {
      const int filled = load(thread, images, at, last);
      forward(thread, filled, false);
      for (long i = 0; i < std::min<long>(last - at, filled * kLanes); i++) {
        const Vector* from = end_.input(thread, static_cast<int>(i / kLanes));
        float* row = to + (at + i) * classes();
        for (int k = 0; k < classes(); k++) row[k] = from[k][i % kLanes];
      }
    }
  });
  *where = -1;
  for (int t = threads - 1; t >= 0; t--) {
    if (threads_[t]->bad_image >= 0) *where = threads_[t]->bad_image;
  }
  return *where < 0 ? kDone : kNotFinite;
}

inline bool Chain::answer_one(const void* memory, bool bytes, float* to) {
  std::lock_guard<std::mutex> lock(work().one_at_a_time);
  if (!loader->load_one(*single_image, memory, bytes)) return false;
  single_image->run(to);
  return true;
}
