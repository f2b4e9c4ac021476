// Learning of a chain: loss and way back, batch norms between which the threads meet, the steps.
#pragma once

#include "chain.h"

inline void Chain::find_loss(Thread& thread, const Task& task, const Part& slots) const {
  for (int slot = slots.first; slot < slots.first + slots.count; slot++) {
    int64_t truth[kLanes];
    const long at = thread.first + slot * long{kLanes};
    const int count = thread.images(slot);
    for (int i = 0; i < count; i++) {
      truth[i] = task.labels[task.images.rows ? task.images.rows[at + i] : at + i];
    }
    cross_entropy(thread, end_.input(thread, slot), classes(),
                  {count, truth, 1.f / task.count, task.smoothing}, end_.gradient(thread, slot));
  }
}

// Some images after the others, through all stages and back while they lie in the cache.
inline void Chain::learn_blocks(Thread& thread, const Task& task, long first, long last) const {
  const Part every{0, static_cast<int>(stages.size())};
  for (long at = first; at < last; at += slots * kLanes) {
    thread.first = at;
    thread.last = std::min(last, at + slots * kLanes);
    const Part filled{0, load(thread, task.images, &task.augment, {0, slots})};
    forward(thread, every, filled, true);
    find_loss(thread, task, filled);
    backward(thread, every, filled);
  }
}

// All of the thread's images from batch norm to batch norm, where the threads wait for one another.
inline void Chain::learn_whole(Thread& thread, const Task& task, int parts) {
  ThreadPool& pool = ThreadPool::get();
  const auto& threads = work().threads;
  const int blocks = static_cast<int>((thread.last - thread.first + kLanes - 1) / kLanes);
  const std::vector<Part> groups = split(blocks, slots);
  const int pieces = static_cast<int>(cuts_.size()) - 1;
  const auto norm_at = [&](int cut) -> const BatchNorm* {
    const int place = cuts_[cut];
    const bool is = place < cuts_.back() && stages[place]->batchwise;
    return is ? static_cast<const BatchNorm*>(stages[place].get()) : nullptr;
  };
  for (const Part& group : groups) load(thread, task.images, &task.augment, group);
  for (int piece = 0; piece <= pieces; piece++) {
    const BatchNorm* next = norm_at(piece);
    for (const Part& group : groups) {
      if (piece) forward(thread, {cuts_[piece - 1], cuts_[piece] - cuts_[piece - 1]}, group, true);
      for (int i = 0; next && i < group.count; i++) next->measure(thread, group.first + i);
    }
    if (!next) continue;
    next->reduce(thread);
    pool.meet(parts);
    next->conclude(threads, parts, thread);
  }
  for (const Part& group : groups) find_loss(thread, task, group);
  for (int piece = pieces; piece >= 0; piece--) {
    const BatchNorm *behind = norm_at(piece), *before = piece ? norm_at(piece - 1) : nullptr;
    const int first = piece ? cuts_[piece - 1] + (before ? 1 : 0) : 0;
    for (const Part& group : groups) {
      for (int i = 0; behind && i < group.count; i++) behind->go_back(thread, group.first + i, 1);
      if (piece) backward(thread, {first, cuts_[piece] - first}, group);
      for (int i = 0; before && i < group.count; i++) before->measure_back(thread, group.first + i);
    }
    if (!before) continue;
    before->reduce_back(thread);
    pool.meet(parts);
    before->conclude_back(threads, parts, thread);
  }
}

inline void Chain::learn_part(const Task& task, int number, int threads) {
  Thread& thread = *work().threads[number];
  const long blocks = (task.count + kLanes - 1) / kLanes;
  const long first = blocks * number / threads * kLanes;
  const long last = std::min<long>(task.count, blocks * (number + 1) / threads * kLanes);
  thread.loss = 0;
  thread.correct = 0;
  thread.bad_image = -1;
  thread.seed = task.seed;
  for (const auto& stage : stages) stage->begin(thread);
  if (norms_.empty()) {
    learn_blocks(thread, task, first, last);
  } else {
    thread.first = first;
    thread.last = last;
    learn_whole(thread, task, threads);
  }
  for (const auto& stage : stages) stage->end(thread);
}

template <typename Act>
void Chain::each_share(int part, int parts, const Task& task, Act&& act) const {
  int which = 0;
  for (const auto& stage : stages) {
    const Parameters& p = stage->parameters;
    const long at[2] = {p.weight_at, p.bias_at}, size[2] = {p.weight_count, p.bias_count};
    for (int i = 0; i < 2 && p.weight_count; i++) {
      if (task.values[which + i]) act(which + i, Share(size[i], part, parts), at[i]);
    }
    which += p.values();
  }
}

// Adds up the threads' gradients of a share of the parameters.
inline void Chain::gather(int part, int parts, const Task& task) {
  const auto& threads = work().threads;
  each_share(part, parts, task, [&](int which, const Share& share, long at) {
    float* total = task.gradients[which] + share.begin;
    const long count = share.end - share.begin;
    std::memcpy(total, threads[0]->gradient.get() + at + share.begin, count * sizeof(float));
    for (int t = 1; t < parts; t++) {
      const float* more = threads[t]->gradient.get() + at + share.begin;
      for (long k = 0; k < count; k++) total[k] += more[k];
    }
  });
}

// The sum of the squares of a share of the gradients that steps are taken by.
inline double Chain::squares(int part, int parts, const Task& task) const {
  double total = 0;
  each_share(part, parts, task, [&](int which, const Share& share, long) {
    if (!task.steps[which].rule) return;
    const float* gradient = task.gradients[which];
    for (long k = share.begin; k < share.end; k++) total += double{gradient[k]} * gradient[k];
  });
  return total;
}

// Scales a share of the gradients down.
inline void Chain::shrink(int part, int parts, const Task& task, double factor) const {
  if (!(factor < 1)) return;
  each_share(part, parts, task, [&](int which, const Share& share, long) {
    if (!task.steps[which].rule) return;
    float* gradient = task.gradients[which];
    for (long k = share.begin; k < share.end; k++) gradient[k] *= static_cast<float>(factor);
  });
}

// Takes the steps of a share of the parameters; the first share's thread moves running statistics.
inline void Chain::step(int part, int parts, const Task& task) {
  for (const BatchNorm* norm : norms_) {
    if (part == 0) norm->run_on(*work().threads[0]);
  }
  if (!task.steps) return;
  each_share(part, parts, task, [&](int which, const Share& share, long) {
    take_step(task.steps[which], share, task.values[which], task.gradients[which],
              task.velocities[which], task.squares[which]);
  });
}

inline Outcome Chain::learn(const Task& task, Learned& learned) {
  for (int64_t i = 0; i < task.count; i++) {
    const int64_t label = task.labels[task.images.rows ? task.images.rows[i] : i];
    if (label < 0 || label >= classes()) {
      learned.where = i;
      return kBadLabel;
    }
  }
  Work& own = work();
  std::lock_guard<std::mutex> lock(own.one_at_a_time);
  const long blocks = (task.count + kLanes - 1) / kLanes;
  const int threads = static_cast<int>(
      std::clamp<long>(task.threads, 1, std::min<long>(blocks, kMostThreads)));
  allocate(threads, norms_.empty() ? slots
                                   : std::max<int>(slots, (blocks + threads - 1) / threads));
  take_values(task.values);
  own.kept.clear();
  ThreadPool& pool = ThreadPool::get();
  pool.run(threads, [&](int number) {
    for (auto& stage : stages) stage->pack(number, threads, true);
    pool.meet(threads);
    learn_part(task, number, threads);
    pool.meet(threads);
    for (int t = 0; t < threads; t++) {
      if (own.threads[t]->bad_image >= 0) return;
    }
    gather(number, threads, task);
    if (task.steps && task.clip > 0) {
      own.threads[number]->squares = squares(number, threads, task);
      pool.meet(threads);
      double total = 0;
      for (int t = 0; t < threads; t++) total += own.threads[t]->squares;
      shrink(number, threads, task, task.clip / (std::sqrt(total) + 1e-6));
    }
    step(number, threads, task);
  });
  learned = {0, 0, -1};
  for (int t = threads - 1; t >= 0; t--) {
    learned.loss += own.threads[t]->loss / task.count;
    learned.correct += own.threads[t]->correct;
    if (own.threads[t]->bad_image >= 0) learned.where = own.threads[t]->bad_image;
  }
  return learned.where < 0 ? kDone : kNotFinite;
}
