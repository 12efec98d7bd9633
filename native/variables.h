// Access to many of TensorFlow's resource variables at a time.
#pragma once
#include <algorithm>
#include <vector>

#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/resource_mgr.h"
#include "tensorflow/core/framework/resource_var.h"

namespace ferkit {

using Variables = std::vector<tensorflow::core::RefCountPtr<tensorflow::Var>>;

/** Looks up the float variables of an input list of handles; one that was never assigned has no tensor yet. */
inline absl::Status findVariables(tensorflow::OpKernelContext* context, const char* input, Variables* variables) {
  tensorflow::OpInputList handles;
  TF_RETURN_IF_ERROR(context->input_list(input, &handles));
  variables->resize(handles.size());
  for (int i = 0; i < handles.size(); ++i) {
    const auto& handle = handles[i].scalar<tensorflow::ResourceHandle>()();
    TF_RETURN_IF_ERROR(tensorflow::LookupResource(context, handle, &(*variables)[i]));
    if ((*variables)[i]->tensor()->dtype() != tensorflow::DT_FLOAT)
      return tensorflow::errors::InvalidArgument("Expected float32 variables for ", input);
  }
  return absl::OkStatus();
}

/** Locks variables for writing during its lifetime, each once, by increasing address as TensorFlow's kernels do. */
class WriteLocks {
 public:
  explicit WriteLocks(std::initializer_list<const Variables*> lists) {
    for (const Variables* list : lists)
      for (const auto& variable : *list) mutexes_.push_back(variable->mu());
    std::sort(mutexes_.begin(), mutexes_.end());
    mutexes_.erase(std::unique(mutexes_.begin(), mutexes_.end()), mutexes_.end());
    for (auto* mutex : mutexes_) mutex->lock();
  }
  WriteLocks(const WriteLocks&) = delete;
  ~WriteLocks() {
    for (auto* mutex : mutexes_) mutex->unlock();
  }

 private:
  std::vector<tensorflow::mutex*> mutexes_;
};

/** Finds the memory to change a locked variable's values in: its own buffer, or a copy if others still read that. */
inline absl::Status beginUpdate(tensorflow::OpKernelContext* context, tensorflow::Var* variable, float** values) {
  tensorflow::Tensor* tensor = variable->tensor();
  if (!variable->is_initialized) return tensorflow::errors::FailedPrecondition("Expected a variable with a value");
  if (!tensor->RefCountIsOne()) {
    tensorflow::Tensor copy;
    TF_RETURN_IF_ERROR(context->allocate_temp(tensor->dtype(), tensor->shape(), &copy));
    copy.flat<float>() = tensor->flat<float>();
    *tensor = copy;
  }
  *values = tensor->flat<float>().data();
  return absl::OkStatus();
}

/** Does so for many variables. */
inline absl::Status beginUpdates(tensorflow::OpKernelContext* context, const Variables& variables, std::vector<float*>* buffers) {
  buffers->resize(variables.size());
  for (size_t i = 0; i < variables.size(); ++i) TF_RETURN_IF_ERROR(beginUpdate(context, variables[i].get(), &(*buffers)[i]));
  return absl::OkStatus();
}

}  // namespace ferkit
