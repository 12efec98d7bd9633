#include "runtime.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>

#include "cores.h"
#include "tensorflow/core/framework/device_base.h"
#include "workers.h"

namespace ferkit {
namespace {

void run(void* workers, int count, void (*task)(void*, int), void* argument) {
  static_cast<Workers*>(workers)->run(count, task, argument);
}

/** Keeps this library loaded: Node.js unloads what only a worker thread of its own has used, under the feet of ours. */
void keepLoaded() {
  Dl_info library;
  if (dladdr(reinterpret_cast<void*>(&run), &library)) dlopen(library.dli_fname, RTLD_LAZY | RTLD_NODELETE);
}

/** Starts the workers: with the caller, no more threads than cores, however many are asked for. */
Workers* startWorkers(int numAsked) {
  keepLoaded();
  const double numCores = availableCores();
  const int numThreads = std::max(1, std::min(numAsked, (int)std::ceil(numCores)));
  // Waiting takes a part of a quota. If it leaves no whole core for each thread, the part is better spent on work.
  return new Workers(numThreads - 1, numThreads <= numCores);
}

}  // namespace

Pool poolOf(tensorflow::OpKernelContext* context) {
  // Kernels cut work into as many parts as are asked for, on any machine, so that all round alike.
  const int numThreads = context->device()->tensorflow_cpu_worker_threads()->num_threads;
  static Workers* const workers = startWorkers(numThreads);
  return {numThreads, workers, run};
}

}  // namespace ferkit
