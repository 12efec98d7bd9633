// Threads that help a caller with its tasks. A training step has hundreds of pieces of shared work, some microseconds apart. So a thread that
// finds no task stays awake for a while, and sleeps only if none comes.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "pause.h"

namespace ferkit {

class Workers {
 public:
  /** Starts threads that run until the process ends: the object must live as long. They round as the calling thread does now. */
  explicit Workers(int count) : numSpins_(count < (int)std::thread::hardware_concurrency() ? kNumSpins : 0) {
    for (int i = 0; i < count; ++i) std::thread([this] { work(); }).detach();
  }

  /**
   * Calls `task(argument, i)` for each i in [0, count), and returns when all calls have returned. The calling thread makes calls, too, and
   * all of them if no worker is free. Several threads, and tasks themselves, may call it.
   */
  void run(int count, void (*task)(void*, int), void* argument) {
    Job* const job = count <= kMaxTasks ? reserve() : nullptr;
    if (!job) {
      for (int i = 0; i < count; ++i) task(argument, i);
      return;
    }
    job->task = task;
    job->argument = argument;
    job->numDone = 0;
    job->state = ((job->state >> 32) + 1) << 32 | (uint64_t)count << 16;
    ++signal_;
    const int numWanted = std::min(count - 1, (int)numAsleep_);
    if (numWanted > 0) waitForDecisions();
    for (int i = 0; i < numWanted; ++i) wake_.notify_one();
    help(*job);
    wait(*job, count);
    job->isReserved = false;
  }

 private:
  /** Rounds of waiting before a thread sleeps: about 50 µs, as long as waking it takes. */
  static constexpr int kNumSpins = 2000;
  static constexpr int kMaxTasks = 0xffff;

  /** One call of `run`. */
  struct alignas(64) Job {
    std::atomic<bool> isReserved{false};
    void (*task)(void*, int);
    void* argument;
    /** From the highest bits: a number that differs from call to call, the tasks, and those taken. */
    alignas(64) std::atomic<uint64_t> state{0};
    alignas(64) std::atomic<int> numDone{0};
    std::atomic<bool> isWaiting{false};
    std::condition_variable done;
  };

  /** Returns a job that no other call uses; null if there is none. */
  Job* reserve() {
    for (Job& job : jobs_)
      if (!job.isReserved.exchange(true)) return &job;
    return nullptr;
  }

  /** Takes tasks until none is left. */
  void help(Job& job) {
    for (uint64_t state = job.state; (state & kMaxTasks) < (state >> 16 & kMaxTasks);) {
      // A thread that comes late finds another number. One that has taken a task keeps the call from returning, and so `task` as it is.
      if (!job.state.compare_exchange_weak(state, state + 1)) continue;
      const int count = (int)(state >> 16 & kMaxTasks);
      job.task(job.argument, (int)(state & kMaxTasks));
      if (++job.numDone == count && job.isWaiting) {
        waitForDecisions();
        job.done.notify_one();
      }
      state = job.state;
    }
  }

  /** Waits until all tasks have ended. */
  void wait(Job& job, int count) {
    for (int i = 0; i < kNumSpins && job.numDone != count; ++i) pauseThread();
    if (job.numDone == count) return;
    std::unique_lock lock(mutex_);
    job.isWaiting = true;
    job.done.wait(lock, [&] { return job.numDone == count; });
    job.isWaiting = false;
  }

  void work() {
    for (;;) {
      const uint32_t seen = signal_;
      for (Job& job : jobs_) help(job);
      for (int i = 0; i < numSpins_ && signal_ == seen; ++i) pauseThread();
      if (signal_ != seen) continue;
      std::unique_lock lock(mutex_);
      ++numAsleep_;
      wake_.wait(lock, [&] { return signal_ != seen; });
      --numAsleep_;
    }
  }

  /** Waits for threads that are just deciding to sleep: they find a reason not to, or can be woken. */
  void waitForDecisions() { const std::lock_guard lock(mutex_); }

  /** None if there are more threads than cores: they would take each other's. */
  const int numSpins_;
  /** Calls that share the workers; further ones at the same time do without. */
  Job jobs_[4];
  /** Grows with each call; workers sleep until it does. */
  alignas(64) std::atomic<uint32_t> signal_{0};
  std::atomic<int> numAsleep_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace ferkit
