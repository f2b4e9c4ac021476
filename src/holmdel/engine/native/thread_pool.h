// The thread pool: the caller and the workers that wait for the next call share the work.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

constexpr int kMostThreads = 255;

HOLMDEL_INLINE void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

class ThreadPool {
 public:
  // The pool of this process; a child of fork gets one of its own, since threads are not inherited.
  static ThreadPool& get() {
    static const bool watched = [] {
      pool_ = new ThreadPool;
#if defined(__unix__) || defined(__APPLE__)
      pthread_atfork(nullptr, nullptr, [] {
        pool_ = new ThreadPool;
        child_++;
      });
#endif
      return true;
    }();
    (void)watched;
    return *pool_;
  }

  // How many forks lie between this process and the first that asked.
  static long child() {
    get();
    return child_;
  }

  // Calls work(0), ..., work(threads - 1), each in a thread of its own; work(0) in the caller's.
  void run(int threads, const std::function<void(int)>& work) {
    if (threads == 1) return work(0);
    std::lock_guard<std::mutex> one_at_a_time(busy_);
    while (helpers_ + 1 < threads) {
      std::thread(&ThreadPool::help, this, helpers_ + 1, round_.load()).detach();
      helpers_++;  // only now: where no thread can be had, an exception has left
    }
    work_ = &work;
    left_.store(threads - 1, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(sleep_);
      round_.store((((round_.load() >> 8) + 1) << 8) | threads, std::memory_order_release);
    }
    wake_.notify_all();
    work(0);
    wait([this] { return left_.load(std::memory_order_acquire) == 0; });
  }

  // Waits, inside of a work, until all its threads are here.
  void meet(int threads) {
    if (threads == 1) return;
    const int phase = phase_.load();
    if (met_.fetch_add(1) + 1 == threads) {
      met_.store(0);
      {
        std::lock_guard<std::mutex> lock(rest_);
        phase_.store(phase + 1, std::memory_order_release);
      }
      rested_.notify_all();
    } else {
      wait([&] { return phase_.load(std::memory_order_acquire) != phase; });
    }
  }

 private:
  static inline ThreadPool* pool_ = nullptr;
  static inline long child_ = 0;
  static constexpr int kSpins = 2000;  // some tens of microseconds: the pause between two batches

  std::mutex busy_, sleep_, rest_;
  std::condition_variable wake_, rested_;
  std::atomic<uint64_t> round_{0};  // number of the round, then how many threads are in it
  std::atomic<int> left_{0}, met_{0}, phase_{0};
  const std::function<void(int)>* work_ = nullptr;
  int helpers_ = 0;

  // Waits for another thread of the round: awake at first, then asleep, so that on a busy machine the
  // processor is the other's.
  template <typename Done>
  void wait(Done done) {
    for (int spins = 0; spins < kSpins && !done(); spins++) pause();
    if (done()) return;
    std::unique_lock<std::mutex> lock(rest_);
    rested_.wait(lock, done);
  }

  void help(int number, uint64_t seen) {
    while (true) {
      const auto news = [&] { return round_.load(std::memory_order_acquire) != seen; };
      for (int spins = 0; spins < kSpins && !news(); spins++) pause();
      if (!news()) {
        std::unique_lock<std::mutex> lock(sleep_);
        wake_.wait(lock, news);
      }
      seen = round_.load(std::memory_order_acquire);
      if (number < static_cast<int>(seen & 255)) {
        (*work_)(number);
        if (left_.fetch_sub(1, std::memory_order_acq_rel) > 1) continue;
        { std::lock_guard<std::mutex> lock(rest_); }  // whoever looked before is asleep now
        rested_.notify_all();
      }
    }
  }
};
