// Threads for ops.
#pragma once
#include "processor.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace ferkit {

/** Returns the process's threads for work within an op; the calling thread takes part. */
Pool poolOf(tensorflow::OpKernelContext* context);

/** Calls `body(i)` for each i in [0, count) on the pool's threads. For ops; kernels use the one in vector.h. */
template <class Body>
void onPool(const Pool& pool, int count, const Body& body) {
  if (count <= 1) return body(0);
  auto task = [](void* argument, int i) { (*static_cast<const Body*>(argument))(i); };
  pool.run(pool.context, count, task, const_cast<Body*>(&body));
}

}  // namespace ferkit
