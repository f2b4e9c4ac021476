// Inference of a chain: weights that are kept, logits of a batch, logits of a single image.
#pragma once

#include "chain.h"

inline void Chain::keep(float* const* values, int threads) {
  std::lock_guard<std::mutex> lock(work().one_at_a_time);
  take_values(values);
  if (same_as_kept()) return;
  for (auto& stage : stages) stage->fold();
  threads = std::clamp(threads, 1, kMostThreads);
  ThreadPool::get().run(threads, [&](int number) {
    for (auto& stage : stages) stage->pack(number, threads, false);
  });
  for (std::size_t i = 0; i < stages.size(); i++) {
    const Stage& stage = *stages[i];
    if (stage.batchwise) {
      const auto& norm = static_cast<const BatchNorm&>(stage);
      single_image->pack(i, norm.scales(), norm.shifts());
    } else {
      single_image->pack(i, stage.parameters.weight, stage.parameters.bias);
    }
  }
}

// Whether the values are those that were kept; if not, they are copied, to be compared with.
inline bool Chain::same_as_kept() {
  std::vector<float>& kept = work().kept;
  bool same = !kept.empty();
  std::size_t at = 0;
  for (const auto& stage : stages) {
    stage->parameters.each([&](const float* value, long count) {
      if (kept.size() < at + count) kept.resize(at + count);
      if (value && !(same && !std::memcmp(&kept[at], value, count * sizeof(float)))) {
        same = false;
        std::copy_n(value, count, &kept[at]);
      }
      at += count;
    });
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
  allocate(threads, slots);
  ThreadPool::get().run(threads, [&](int number) {
    Thread& thread = *threads_[number];
    thread.bad_image = -1;
    const long last = std::min(count, blocks * (number + 1) / threads * kLanes);
    for (long at = blocks * number / threads * kLanes; at < last; at += slots * kLanes) {
      thread.first = at;
      thread.last = std::min(last, at + slots * kLanes);
      const Part filled{0, load(thread, images, nullptr, {0, slots})};
      forward(thread, {0, static_cast<int>(stages.size())}, filled, false);
      for (long i = 0; i < thread.last - at; i++) {
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
