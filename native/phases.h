// Work in phases: the tasks of a phase run side by side, and the next phase begins when all of them are done.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "pause.h"

namespace ferkit {

class Phases {
 public:
  /** Adds a phase; `task(thread, i)` runs for each i in [0, count). */
  void add(int64_t count, std::function<void(int, int64_t)> task) { phases_.push_back({count, std::move(task)}); }

  /** Must be called once, after the last `add`, before threads call `help`. */
  void prepare() { counters_ = std::make_unique<Counters[]>(phases_.size()); }

  /** Takes tasks until none is left in any phase. Any number of threads may call it, at any time: one alone does all the work. */
  void help(int thread) {
    for (size_t p = 0; p < phases_.size(); ++p) {
      const auto& [count, task] = phases_[p];
      auto& [next, numDone] = counters_[p];
      for (int64_t i = next++; i < count; i = next++) {
        task(thread, i);
        ++numDone;
      }
      for (int spins = 0; numDone < count; ++spins) spins < kNumSpins ? pauseThread() : std::this_thread::yield();
    }
  }

 private:
  /** Rounds of waiting before the thread lets others run. */
  static constexpr int kNumSpins = 2000;
  struct Phase {
    int64_t count;
    std::function<void(int, int64_t)> task;
  };
  struct Counters {
    alignas(64) std::atomic<int64_t> next{0};
    alignas(64) std::atomic<int64_t> numDone{0};
  };
  std::vector<Phase> phases_;
  std::unique_ptr<Counters[]> counters_;
};

}  // namespace ferkit
