// A chain of stages: forward, loss and backward of a batch, some slots of images at a time.
#pragma once

#include <memory>
#include <mutex>

#include "batch_norm.h"
#include "loader.h"
#include "loss.h"
#include "optimizer.h"
#include "single_image.h"
#include "stage.h"
#include "thread_pool.h"

enum Outcome { kDone = 0, kNotFinite = 1, kBadLabel = 2, kNoMemory = 3 };

// A batch to learn from, and what is to be done with the gradients.
struct Task {
  Images images;
  const int64_t* labels;
  int64_t count;
  int64_t threads;
  uint64_t seed;            // of random numbers
  float* const* values;     // of each parameter, a batch norm's running mean and variance included
  float* const* gradients;  // where they go
  const Step* steps;        // one a value; null for gradients alone
  float* const* velocities;
  float* const* squares;
  float smoothing;          // of labels
  float clip;               // the largest norm of all gradients together; 0 for any
  Augment augment;          // of images of bytes
};

// What came of it; `where` is the first image at fault.
struct Learned {
  double loss;
  int64_t correct, where;
};

// What a chain works with, one call at a time.
struct Work {
  const long child;  // of which fork it belongs to
  std::mutex one_at_a_time;
  std::vector<std::unique_ptr<Thread>> threads;
  std::vector<float> kept;  // the values of the last `keep`, empty after `learn`
};

class Chain {
 public:
  ~Chain() { delete work_.load(); }

  std::vector<std::unique_ptr<Stage>> stages;
  std::unique_ptr<SingleImage> single_image;
  std::unique_ptr<Loader> loader;
  Grid logits;
  Scaling scaling;
  int slots = 1;
  long parameter_count = 0;

  // To be called once, when all stages are there.
  void connect();

  int classes() const { return logits.channels; }

  // Gradients of the mean loss; then, with `steps`, a step.
  Outcome learn(const Task& task, Learned& learned);

  // Keeps the weights for the answers that follow, until `learn` or `keep` is called again.
  void keep(float* const* values, int threads);

  // Logits (count, classes), by the weights that were kept.
  Outcome answer(const Images& images, long count, int threads, float* to, long* where);

  // Logits (classes) of one image; false if it holds something else than finite numbers.
  bool answer_one(const void* memory, bool bytes, float* to);

 private:
  std::atomic<Work*> work_{nullptr};
  End end_;
  int slotwise_ = 0;  // how many stages work slot by slot before the first that takes all at once
  std::vector<const BatchNorm*> norms_;
  std::vector<int> cuts_;  // the stages from batch norm to batch norm: 0, their places, the end

  Work& work();
  void allocate(int threads, int slots);
  void take_values(float* const* values);
  bool same_as_kept();
  int load(Thread& thread, const Images& images, const Augment* augment, const Part& slots) const;
  void forward(Thread& thread, const Part& stages, const Part& slots, bool training) const;
  void backward(Thread& thread, const Part& stages, const Part& slots) const;
  void find_loss(Thread& thread, const Task& task, const Part& slots) const;
  void learn_blocks(Thread& thread, const Task& task, long first, long last) const;
  void learn_whole(Thread& thread, const Task& task, int parts);
  void learn_part(const Task& task, int number, int threads);
  void gather(int part, int parts, const Task& task);
  double squares(int part, int parts, const Task& task) const;
  void shrink(int part, int parts, const Task& task, double factor) const;
  void step(int part, int parts, const Task& task);
  // Calls act(which value, its share) for every parameter, as gather and step go through them.
  template <typename Act>
  void each_share(int part, int parts, const Task& task, Act&& act) const;
};

inline void Chain::connect() {
  end_.in = end_.out = logits;
  end_.index = static_cast<int>(stages.size());
  end_.gradient_slots = true;
  for (std::size_t i = 0; i < stages.size(); i++) {
    Stage& stage = *stages[i];
    stage.index = static_cast<int>(i);
    stage.next = i + 1 < stages.size() ? stages[i + 1].get() : &end_;
    stage.first = i == 0 || (stages[i - 1]->first && !stages[i - 1]->parameters.weight_count);
    if (slotwise_ == static_cast<int>(i) && !stage.together) slotwise_++;
    if (stage.batchwise) {
      norms_.push_back(static_cast<const BatchNorm*>(&stage));
      cuts_.push_back(stage.index);
    }
    stage.parameters.weight_at = parameter_count;
    stage.parameters.bias_at = parameter_count + stage.parameters.weight_count;
    parameter_count += stage.parameters.weight_count + stage.parameters.bias_count;
  }
  if (cuts_.empty() || cuts_[0] != 0) cuts_.insert(cuts_.begin(), 0);
  cuts_.push_back(static_cast<int>(stages.size()));
  for (auto& stage : stages) stage->gradient_slots = stage->index >= slotwise_ || !norms_.empty();
  loader = std::make_unique<Loader>(stages[0]->in, scaling);
}

// A child of fork gets work of its own: the parent's may have been locked, or half done, by a thread
// that is not inherited.
inline Work& Chain::work() {
  const long child = ThreadPool::child();
  Work* found = work_.load();
  if (!found || found->child != child) {
    auto fresh = std::unique_ptr<Work>(new Work{child, {}, {}, {}});
    if (work_.compare_exchange_strong(found, fresh.get())) found = fresh.release();
  }
  return *found;
}

inline void Chain::allocate(int threads, int slots) {
  auto& all = work().threads;
  for (int t = 0; t < threads; t++) {
    if (t < static_cast<int>(all.size()) && all[t]->slots >= slots) continue;
    auto thread = std::make_unique<Thread>();
    thread->slots = slots;
    thread->rooms.resize(stages.size() + 1);
    long scratch = 1;
    for (std::size_t i = 0; i <= stages.size(); i++) {
      const Stage& stage = i < stages.size() ? *stages[i] : static_cast<const Stage&>(end_);
      Room& room = thread->rooms[i];
      const std::size_t size = stage.in.size();
      room.input = Buffer<Vector>(slots * size);
      room.gradient = Buffer<Vector>((stage.gradient_slots ? slots : 1) * size);
      stage.allocate(room, slots);
      scratch = std::max(scratch, stage.scratch());
    }
    thread->scratch = Buffer<Vector>(scratch);
    thread->gradient = Buffer<float>(parameter_count);
    if (t < static_cast<int>(all.size())) {
      all[t] = std::move(thread);
    } else {
      all.push_back(std::move(thread));
    }
  }
}

inline void Chain::take_values(float* const* values) {
  for (auto& stage : stages) {
    Parameters& p = stage->parameters;
    if (!p.weight_count) continue;
    p.weight = *values++;
    p.bias = *values++;
    for (int i = 0; i < (p.runs ? 2 : 0); i++) p.running[i] = *values++;
    for (int i = 0; i < (p.folds ? 4 : 0); i++) p.norm[i] = *values++;
  }
}

// Loads the thread's images into some of its slots; returns how many it fills.
inline int Chain::load(Thread& thread, const Images& images, const Augment* augment,
                       const Part& slots) const {
  if (augment && augment->count && !thread.changed.get()) {
    thread.changed = Buffer<float>(loader->room());
  }
  int loaded = 0;
  for (; loaded < slots.count && thread.images(slots.first + loaded); loaded++) {
    const int slot = slots.first + loaded;
    const long at = thread.first + slot * long{kLanes};
    const long bad = loader->load(stages[0]->input(thread, slot), images, at, thread.images(slot),
                                  augment, thread.seed, thread.changed.get());
    if (bad >= 0 && thread.bad_image < 0) thread.bad_image = bad;
  }
  return loaded;
}

// Takes some slots through some stages.
inline void Chain::forward(Thread& thread, const Part& some, const Part& slots,
                           bool training) const {
  const int last = some.first + some.count, turn = std::clamp(slotwise_, some.first, last);
  const int end = slots.first + slots.count;
  for (int slot = slots.first; slot < end; slot++) {
    for (int i = some.first; i < turn; i++) stages[i]->forward(thread, slot, 1, training);
  }
  for (int i = turn; i < last; i++) {
    const int at_once = stages[i]->together ? slots.count : 1;
    for (int slot = slots.first; slot < end; slot += at_once) {
      stages[i]->forward(thread, slot, at_once, training);
    }
  }
}

inline void Chain::backward(Thread& thread, const Part& some, const Part& slots) const {
  const int last = some.first + some.count, turn = std::clamp(slotwise_, some.first, last);
  const int end = slots.first + slots.count;
  for (int i = last - 1; i >= turn; i--) {
    const int at_once = stages[i]->together ? slots.count : 1;
    for (int slot = slots.first; slot < end; slot += at_once) {
      stages[i]->backward(thread, slot, at_once);
    }
  }
  for (int slot = slots.first; slot < end; slot++) {
    for (int i = turn - 1; i >= some.first; i--) stages[i]->backward(thread, slot, 1);
  }
}

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
      for (int i = 0; behind && i < group.count; i++) behind->backward(thread, group.first + i, 1);
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
