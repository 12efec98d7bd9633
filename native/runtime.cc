#include "runtime.h"

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "tensorflow/core/framework/device_base.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace ferkit {
namespace {

/** Rounds of waiting for the last tasks before the thread sleeps: some 50 µs, the time that waking it up would take. */
constexpr int kNumSpins = 2000;

/** Tasks that the threads take one by one; threads that come too late find none, and may find the call over. */
class Job {
 public:
  Job(int count, void (*task)(void*, int), void* argument) : count_(count), task_(task), argument_(argument) {}

  void help() {
    for (int i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) {
      task_(argument_, i);
      if (numDone_.fetch_add(1) + 1 == count_) numDone_.notify_all();
    }
  }

  void wait() {
    for (int i = 0; i < kNumSpins; ++i) {
      if (numDone_.load() == count_) return;
      _mm_pause();
    }
    for (int done = numDone_.load(); done != count_; done = numDone_.load()) numDone_.wait(done);
  }

 private:
  const int count_;
  void (*const task_)(void*, int);
  void* const argument_;
  std::atomic<int> next_{0}, numDone_{0};
};

void run(void* context, int count, void (*task)(void*, int), void* argument) {
  auto* threads = static_cast<tensorflow::thread::ThreadPool*>(context);
  const auto job = std::make_shared<Job>(count, task, argument);
  const int numHelpers = std::min(count - 1, threads->NumThreads());
  for (int i = 0; i < numHelpers; ++i) threads->Schedule([job] { job->help(); });
  job->help();
  job->wait();
}

const char* findInstructionSet() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return nullptr;
  const char* wanted = std::getenv("FERKIT_CPU");
  if (wanted && !std::strcmp(wanted, "avx2")) return "avx2";
  const bool hasAvx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return hasAvx512 ? "avx512" : "avx2";
}

}  // namespace

const char* instructionSet() {
  static const char* const found = findInstructionSet();
  return found;
}

const Kernels& kernels() {
  static const Kernels& best = std::strcmp(instructionSet(), "avx512") ? kernelsAvx2 : kernelsAvx512;
  return best;
}

Pool poolOf(tensorflow::OpKernelContext* context) {
  const auto* threads = context->device()->tensorflow_cpu_worker_threads();
  return {threads->num_threads, threads->workers, run};
}

}  // namespace ferkit
