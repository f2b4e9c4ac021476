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

  void join_readers();
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
  const int count = static_cast<int>(stages.size());
  end_.in = end_.out = logits;
  end_.index = end_.reads = count;
  end_.gradient_slots = true;
  for (int i = 0; i < count; i++) {
    Stage& stage = *stages[i];
    stage.index = i;
    if (slotwise_ == i && !stage.together) slotwise_++;
    if (stage.batchwise) {
      norms_.push_back(static_cast<const BatchNorm*>(&stage));
      cuts_.push_back(i);
    }
    stage.parameters.weight_at = parameter_count;
    stage.parameters.bias_at = parameter_count + stage.parameters.weight_count;
    parameter_count += stage.parameters.weight_count + stage.parameters.bias_count;
  }
  join_readers();
  if (cuts_.empty() || cuts_[0] != 0) cuts_.insert(cuts_.begin(), 0);
  cuts_.push_back(count);
  for (auto& stage : stages) stage->gradient_slots = stage->index >= slotwise_ || !norms_.empty();
  loader = std::make_unique<Loader>(stages[0]->in, scaling);
}

// Finds out who reads each room, and whether anything before it learns.
inline void Chain::join_readers() {
  const int count = static_cast<int>(stages.size());
  std::vector<Stage*> first_reader(count + 1, nullptr);
  std::vector<bool> learned(count + 1, false);  // whether a gradient by the room is asked for
  for (auto& stage : stages) {
    bool before = false;
    for (int room : {stage->reads, stage->also_reads}) {
      if (room < 0) continue;
      before = before || learned[room];
      if (!first_reader[room]) {
        first_reader[room] = stage.get();
      } else {
        first_reader[room]->later.push_back(stage.get());
        if (room) stages[room - 1]->shared = true;
      }
    }
    stage->first = !before;
    learned[stage->index + 1] = before || stage->parameters.weight_count;
  }
  first_reader[count] = &end_;
  for (auto& stage : stages) stage->next = first_reader[stage->index + 1];
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
      const Grid& given = i ? stages[i - 1]->out : stage.in;
      room.input = Buffer<Vector>(static_cast<std::size_t>(slots) * given.size());
      const std::size_t gradients = stage.gradient_slots ? slots : 1;
      room.gradient = Buffer<Vector>(gradients * stage.in.size());
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
      stages[i]->go_back(thread, slot, at_once);
    }
  }
  for (int slot = slots.first; slot < end; slot++) {
    for (int i = turn - 1; i >= some.first; i--) stages[i]->go_back(thread, slot, 1);
  }
}
