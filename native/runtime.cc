#include "runtime.h"

#include "tensorflow/core/framework/device_base.h"
#include "workers.h"

namespace ferkit {
namespace {

void run(void* workers, int count, void (*task)(void*, int), void* argument) {
  static_cast<Workers*>(workers)->run(count, task, argument);
}

}  // namespace

Pool poolOf(tensorflow::OpKernelContext* context) {
  // As many threads as TensorFlow has, which knows what the process may use; the calling thread is one of them.
  const int numThreads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
  static Workers* const workers = new Workers(numThreads - 1);
  return {numThreads, workers, run};
}

}  // namespace ferkit
