#include "runtime.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "pause.h"
#include "tensorflow/core/framework/device_base.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace ferkit {
namespace {

/** Rounds of waiting before the thread sleeps: about 50 µs, as long as waking it takes. */
constexpr int kNumSpins = 2000;

/** Tasks that threads take one by one. A late thread finds none left, perhaps after the call has returned. */
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
      pauseThread();
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
  // The calling thread works too, so one helper less is needed.
  const int numHelpers = std::min(count, threads->NumThreads()) - 1;
  for (int i = 0; i < numHelpers; ++i) threads->Schedule([job] { job->help(); });
  job->help();
  job->wait();
}

}  // namespace

Pool poolOf(tensorflow::OpKernelContext* context) {
  const auto* threads = context->device()->tensorflow_cpu_worker_threads();
  return {threads->num_threads, threads->workers, run};
}

}  // namespace ferkit
