// Threads that help a caller with its tasks. A training step has hundreds of pieces of shared work, some microseconds apart. So a thread that
// finds no task stays awake for a while, and sleeps only if none comes.
#pragma once
#include <algorithm>
#include <atomic>
#include <cfenv>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

#include "pause.h"

namespace ferkit {

class Workers {
 public:
  /**
   * Starts threads, or fewer if the system refuses some. They run until the process ends, so the object must never be destroyed. They round
   * as the calling thread does now. `stayAwake`: there is a core for each of them and one for the caller.
   */
  Workers(int count, bool stayAwake) : numSpins_(stayAwake ? kNumSpins : 0) {
    std::fenv_t rounding;
    std::fegetenv(&rounding);
    try {
      for (int i = 0; i < count; ++i)
        std::thread([this, rounding] {
          std::fesetenv(&rounding);
          work();
        }).detach();
    } catch (const std::system_error&) {
    }
  }

  /**
   * Calls `task(argument, i)` for each i in [0, count), and returns when all calls have returned. The calling thread makes calls, too, and
   * all of them if no worker comes. The workers help one caller at a time: another thread, and a task that calls this, do without them.
   */
  void run(int count, void (*task)(void*, int), void* argument) {
    if (count > kMaxTasks || isBusy_.exchange(true)) {
      for (int i = 0; i < count; ++i) task(argument, i);
      return;
    }
    task_ = task;
    argument_ = argument;
    numDone_ = 0;
    state_ = ((state_ >> 32) + 1) << 32 | (uint64_t)count << 16;
    wake(std::min(count - 1, (int)numAsleep_));
    help();
    wait(count);
    isBusy_ = false;
  }

 private:
  /** Rounds of waiting before a thread sleeps: about 50 µs, as long as waking it takes. */
  static constexpr int kNumSpins = 2000;
  static constexpr int kMaxTasks = 0xffff;

  static int numTasks(uint64_t state) { return state >> 16 & kMaxTasks; }
  static int numTaken(uint64_t state) { return state & kMaxTasks; }
  static bool hasTask(uint64_t state) { return numTaken(state) < numTasks(state); }

  /** Takes tasks until none is left. A task that throws ends the process: other threads are still using what the caller owns. */
  void help() noexcept {
    for (uint64_t state = state_; hasTask(state);) {
      // Fails if another thread was faster, or if a later call has begun. Who takes a task keeps its call, and so `task_`, until it is done.
      if (!state_.compare_exchange_weak(state, state + 1)) continue;
      const int count = numTasks(state);
      task_(argument_, numTaken(state));
      if (++numDone_ == count && isCallerAsleep_) {
        waitForDecisions();
        done_.notify_one();
      }
      state = state_;
    }
  }

  /** Waits until all tasks have ended. */
  void wait(int count) {
    const auto isDone = [&] { return numDone_ == count; };
    if (spin(isDone)) return;
    std::unique_lock lock(mutex_);
    isCallerAsleep_ = true;
    done_.wait(lock, isDone);
    isCallerAsleep_ = false;
  }

  void work() {
    const auto hasWork = [this] { return hasTask(state_); };
    for (;;) {
      help();
      if (spin(hasWork)) continue;
      std::unique_lock lock(mutex_);
      ++numAsleep_;
      wake_.wait(lock, hasWork);
      --numAsleep_;
    }
  }

  void wake(int numWanted) {
    if (numWanted <= 0) return;
    waitForDecisions();
    for (int i = 0; i < numWanted; ++i) wake_.notify_one();
  }

  /** Waits for threads that are just deciding to sleep: they see what has changed, or can be woken. */
  void waitForDecisions() { const std::lock_guard lock(mutex_); }

  /** Waits for a while; returns whether the condition holds. */
  template <class Condition>
  bool spin(const Condition& holds) const {
    for (int i = 0; i < numSpins_ && !holds(); ++i) pauseThread();
    return holds();
  }

  const int numSpins_;
  /** Whether a call is being helped; what follows is about it, or about the last one. */
  std::atomic<bool> isBusy_{false};
  void (*task_)(void*, int);
  void* argument_;
  /** From the highest bits: a number that differs from call to call, the tasks, and those taken. */
  alignas(64) std::atomic<uint64_t> state_{0};
  alignas(64) std::atomic<int> numDone_{0};
  /** Whether the caller and how many workers sleep. Both change under the mutex, before the sleeper looks for a reason not to. */
  alignas(64) std::atomic<bool> isCallerAsleep_{false};
  std::atomic<int> numAsleep_{0};
  std::mutex mutex_;
  std::condition_variable done_, wake_;
};

}  // namespace ferkit
