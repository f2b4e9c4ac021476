// A chain of stages: forward, loss and backward of a batch, some slots of images at a time.
#pragma once

#include <memory>
#include <mutex>

#include "loader.h"
#include "loss.h"
#include "single_image.h"
#include "stage.h"
#include "thread_pool.h"

enum Outcome { kDone = 0, kNotFinite = 1, kBadLabel = 2, kNoMemory = 3 };

// One of torch.optim.SGD's steps for a parameter.
struct Step {
  float lr, momentum, decay;
  int32_t nesterov;
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

  // Gradients of the mean loss, into gradients[i] for parameter i; then, with `steps`, a step.
  Outcome learn(const Images& images, const int64_t* labels, long count, int threads,
                float smoothing, float* const* values, float* const* gradients, const Step* steps,
                float* const* velocities, double* loss, int64_t* correct, long* where);

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

  Work& work();
  void allocate(int threads);
  void take_values(float* const* values);
  bool same_as_kept();
  int load(Thread& thread, const Images& images, long first, long last) const;
  void forward(Thread& thread, int slots, bool training) const;
  void backward(Thread& thread, int slots) const;
  void learn_part(Thread& thread, const Images& images, const int64_t* labels, long first,
                  long last, float part, float smoothing) const;
  void combine(int part, int parts, float* const* gradients, const Step* steps,
               float* const* values, float* const* velocities);
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
    stage.gradient_slots = static_cast<int>(i) >= slotwise_;
    stage.parameters.weight_at = parameter_count;
    stage.parameters.bias_at = parameter_count + stage.parameters.weight_count;
    parameter_count += stage.parameters.weight_count + stage.parameters.bias_count;
  }
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

inline void Chain::allocate(int threads) {
  auto& threads_ = work().threads;
  while (static_cast<int>(threads_.size()) < threads) {
    auto thread = std::make_unique<Thread>();
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
    threads_.push_back(std::move(thread));
  }
}

inline void Chain::take_values(float* const* values) {
  for (auto& stage : stages) {
    if (!stage->parameters.weight_count) continue;
    stage->parameters.weight = *values++;
    stage->parameters.bias = *values++;
  }
}

// Loads the images from number `first` to `last`, as many as fit; returns how many slots they fill.
inline int Chain::load(Thread& thread, const Images& images, long first, long last) const {
  int slot = 0;
  for (long at = first; slot < slots && at < last; slot++, at += kLanes) {
    const int count = static_cast<int>(std::min<long>(kLanes, last - at));
    const long bad = loader->load(stages[0]->input(thread, slot), images, at, count);
    if (bad >= 0 && thread.bad_image < 0) thread.bad_image = bad;
  }
  return slot;
}

inline void Chain::forward(Thread& thread, int slots, bool training) const {
  const int count = static_cast<int>(stages.size());
  for (int slot = 0; slot < slots; slot++) {
    for (int i = 0; i < slotwise_; i++) stages[i]->forward(thread, slot, slots, training);
  }
  for (int i = slotwise_; i < count; i++) {
    const int times = stages[i]->together ? 1 : slots;
    for (int slot = 0; slot < times; slot++) stages[i]->forward(thread, slot, slots, training);
  }
}

inline void Chain::backward(Thread& thread, int slots) const {
  for (int i = static_cast<int>(stages.size()) - 1; i >= slotwise_; i--) {
    const int times = stages[i]->together ? 1 : slots;
    for (int slot = 0; slot < times; slot++) stages[i]->backward(thread, slot, slots);
  }
  for (int slot = 0; slot < slots; slot++) {
    for (int i = slotwise_ - 1; i >= 0; i--) stages[i]->backward(thread, slot, slots);
  }
}

inline void Chain::learn_part(Thread& thread, const Images& images, const int64_t* labels,
                              long first, long last, float part, float smoothing) const {
  for (const auto& stage : stages) stage->begin(thread);
  const auto settle = [&] {
    for (const auto& stage : stages) stage->settle(thread);
    thread.kept = 0;
  };
  for (long at = first; at < last;) {
    if (thread.kept + slots * kLanes > kKept) settle();
    const int filled = load(thread, images, at, last);
    int64_t truth[kMostSlots * kLanes];
    const long left = std::min<long>(last - at, filled * kLanes);
    for (int i = 0; i < left; i++) truth[i] = labels[images.rows ? images.rows[at + i] : at + i];
    forward(thread, filled, true);
    for (int slot = 0; slot < filled; slot++) {
      const int count = static_cast<int>(std::min<long>(kLanes, left - slot * kLanes));
      cross_entropy(thread, end_.input(thread, slot), classes(),
                    {count, truth + slot * kLanes, part, smoothing}, end_.gradient(thread, slot));
    }
    backward(thread, filled);
    thread.kept += filled * kLanes;
    at += filled * kLanes;
  }
  settle();
  for (const auto& stage : stages) stage->end(thread);
}

// Adds up the threads' gradients of a share of the parameters, and steps.
inline void Chain::combine(int part, int parts, float* const* gradients, const Step* steps,
                           float* const* values, float* const* velocities) {
  const auto& threads_ = work().threads;
  int which = 0;
  for (const auto& stage : stages) {
    const Parameters& p = stage->parameters;
    if (!p.weight_count) continue;
    const long at[2] = {p.weight_at, p.bias_at}, size[2] = {p.weight_count, p.bias_count};
    for (int i = 0; i < 2; i++, which++) {
      if (!values[which]) continue;
      const long begin = size[i] * part / parts, end = size[i] * (part + 1) / parts;
      float* total = gradients[which];
      std::memcpy(total + begin, threads_[0]->gradient.get() + at[i] + begin,
                  (end - begin) * sizeof(float));
      for (int t = 1; t < parts; t++) {
        const float* more = threads_[t]->gradient.get() + at[i];
        for (long k = begin; k < end; k++) total[k] += more[k];
      }
      if (!steps) continue;
      const Step& step = steps[which];
      float* value = values[which];
      float* velocity = velocities[which];
      for (long k = begin; k < end; k++) {
        float change = total[k] + step.decay * value[k];
        if (velocity) {
          velocity[k] = step.momentum * velocity[k] + change;
          change = step.nesterov ? change + step.momentum * velocity[k] : velocity[k];
        }
        value[k] -= step.lr * change;
      }
    }
  }
}

inline Outcome Chain::learn(const Images& images, const int64_t* labels, long count,
                            int threads, float smoothing, float* const* values,
                            float* const* gradients, const Step* steps, float* const* velocities,
                            double* loss, int64_t* correct, long* where) {
  for (long i = 0; i < count; i++) {
    const int64_t label = labels[images.rows ? images.rows[i] : i];
    if (label < 0 || label >= classes()) {
      *where = i;
      return kBadLabel;
    }
  }
  Work& own = work();
  std::lock_guard<std::mutex> lock(own.one_at_a_time);
  const auto& threads_ = own.threads;
  const long blocks = (count + kLanes - 1) / kLanes;
  threads = static_cast<int>(std::clamp<long>(threads, 1, std::min<long>(blocks, kMostThreads)));
  allocate(threads);
  take_values(values);
  own.kept.clear();
  ThreadPool& pool = ThreadPool::get();
  pool.run(threads, [&](int number) {
    Thread& thread = *threads_[number];
    thread.loss = 0;
    thread.correct = 0;
    thread.bad_image = -1;
    for (auto& stage : stages) stage->pack(number, threads, true);
    pool.meet(threads);
    const long first = blocks * number / threads * kLanes;
    const long last = std::min(count, blocks * (number + 1) / threads * kLanes);
    learn_part(thread, images, labels, first, last, 1.f / count, smoothing);
    pool.meet(threads);
    bool finite = true;
    for (int t = 0; t < threads; t++) finite = finite && threads_[t]->bad_image < 0;
    if (finite) combine(number, threads, gradients, steps, values, velocities);
  });
  double total = 0;
  *correct = 0;
  *where = -1;
  for (int t = threads - 1; t >= 0; t--) {
    total += threads_[t]->loss;
    *correct += threads_[t]->correct;
    if (threads_[t]->bad_image >= 0) *where = threads_[t]->bad_image;
  }
  *loss = total / count;
  return *where < 0 ? kDone : kNotFinite;
}
