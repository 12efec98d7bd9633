// Ops on all parameters at once; stock TensorFlow needs one or more ops for each parameter.
#include "runtime.h"
#include "tensorflow/core/framework/op.h"
#include "variables.h"

namespace ferkit {
namespace {
using namespace tensorflow;

/** Smallest part, in numbers, that is worth waking another thread for. */
constexpr int64_t kPartLength = 16384;

REGISTER_OP("FerkitReadVariables")
    .Input("handles: N * resource")
    .Output("values: N * float")
    .Attr("N: int >= 1")
    .SetIsStateful();
REGISTER_OP("FerkitAssignVariables")
    .Input("handles: N * resource")
    .Input("values: N * float")
    .Attr("N: int >= 1")
    .SetIsStateful();
REGISTER_OP("FerkitAdam")
    .Input("values: N * resource")
    .Input("first: N * resource")
    .Input("second: N * resource")
    .Input("gradients: N * float")
    .Input("step_sizes: float")
    .Input("decays: float")
    .Attr("N: int >= 1")
    .Attr("beta1: float")
    .Attr("beta2: float")
    .Attr("epsilon: float")
    .SetIsStateful();
REGISTER_OP("FerkitEma")
    .Input("emas: N * resource")
    .Input("values: N * resource")
    .Input("rate: float")
    .Attr("N: int >= 1")
    .SetIsStateful();

class ReadVariables : public OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    Variables variables;
    OP_REQUIRES_OK(context, findVariables(context, "handles", &variables));
    for (size_t i = 0; i < variables.size(); ++i) {
      tf_shared_lock lock(*variables[i]->mu());
      OP_REQUIRES(context, variables[i]->is_initialized, errors::FailedPrecondition("Expected a variable with a value"));
      context->set_output(i, *variables[i]->tensor());
    }
  }
};
REGISTER_KERNEL_BUILDER(Name("FerkitReadVariables").Device(DEVICE_CPU), ReadVariables);

class AssignVariables : public OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    Variables variables;
    OpInputList values;
    OP_REQUIRES_OK(context, findVariables(context, "handles", &variables));
    OP_REQUIRES_OK(context, context->input_list("values", &values));
    const WriteLocks locks({&variables});
    for (size_t i = 0; i < variables.size(); ++i) {
      *variables[i]->tensor() = values[i];
      variables[i]->is_initialized = true;
    }
  }
};
REGISTER_KERNEL_BUILDER(Name("FerkitAssignVariables").Device(DEVICE_CPU), AssignVariables);

/** Splits the numbers of all tensors among the pool's threads; calls `update(i, begin, end)` for parts of tensor i. */
template <class Update>
void updateAll(const Pool& pool, const std::vector<int64_t>& lengths, const Update& update) {
  std::vector<int64_t> ends(lengths.size());
  int64_t total = 0;
  for (size_t i = 0; i < lengths.size(); ++i) ends[i] = total += lengths[i];
  const int count = (int)std::min<int64_t>(4 * pool.numThreads, total / kPartLength + 1);
  onPool(pool, count, [&](int part) {
    int64_t next = total * part / count;
    const int64_t end = total * (part + 1) / count;
    for (size_t i = std::upper_bound(ends.begin(), ends.end(), next) - ends.begin(); next < end; ++i) {
      const int64_t start = ends[i] - lengths[i], stop = std::min(end, ends[i]);
      update(i, next - start, stop - start);
      next = stop;
    }
  });
}

/** Finds the buffers of locked variables and checks their lengths. */
absl::Status beginUpdates(OpKernelContext* context, const Variables& variables, const std::vector<int64_t>& lengths,
                          std::vector<float*>* buffers) {
  buffers->resize(variables.size());
  for (size_t i = 0; i < variables.size(); ++i) {
    TF_RETURN_IF_ERROR(beginUpdate(context, variables[i].get(), &(*buffers)[i]));
    if (variables[i]->tensor()->NumElements() != lengths[i])
      return errors::InvalidArgument("Expected variables of equal shapes, but number ", i, " differs");
  }
  return absl::OkStatus();
}

class Adam : public OpKernel {
 public:
  explicit Adam(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("beta1", &beta1_));
    OP_REQUIRES_OK(construction, construction->GetAttr("beta2", &beta2_));
    OP_REQUIRES_OK(construction, construction->GetAttr("epsilon", &epsilon_));
  }
  void Compute(OpKernelContext* context) override {
    Variables variables[3];
    const char* const names[] = {"values", "first", "second"};
    for (int k = 0; k < 3; ++k) OP_REQUIRES_OK(context, findVariables(context, names[k], &variables[k]));
    OpInputList gradients;
    const Tensor *stepSizes, *decays;
    OP_REQUIRES_OK(context, context->input_list("gradients", &gradients));
    OP_REQUIRES_OK(context, context->input("step_sizes", &stepSizes));
    OP_REQUIRES_OK(context, context->input("decays", &decays));
    for (const Tensor* each : {stepSizes, decays})
      OP_REQUIRES(context, each->NumElements() == gradients.size(),
                  errors::InvalidArgument("Expected a step size and a decay for each of ", gradients.size(), " variables"));
    std::vector<int64_t> lengths;
    for (const Tensor& gradient : gradients) lengths.push_back(gradient.NumElements());
    const WriteLocks locks({&variables[0], &variables[1], &variables[2]});
    std::vector<float*> buffers[3];
    for (int k = 0; k < 3; ++k) OP_REQUIRES_OK(context, beginUpdates(context, variables[k], lengths, &buffers[k]));
    const float *stepSize = stepSizes->flat<float>().data(), *decay = decays->flat<float>().data();
    updateAll(poolOf(context), lengths, [&](size_t i, int64_t begin, int64_t end) {
      const float* gradient = gradients[i].flat<float>().data() + begin;
      kernels().adam(end - begin, buffers[0][i] + begin, buffers[1][i] + begin, buffers[2][i] + begin, gradient,
                     stepSize[i], decay[i], beta1_, beta2_, epsilon_);
    });
  }

 private:
  float beta1_, beta2_, epsilon_;
};
REGISTER_KERNEL_BUILDER(Name("FerkitAdam").Device(DEVICE_CPU), Adam);

class Ema : public OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    Variables emas, variables;
    OP_REQUIRES_OK(context, findVariables(context, "emas", &emas));
    OP_REQUIRES_OK(context, findVariables(context, "values", &variables));
    const Tensor* rate;
    OP_REQUIRES_OK(context, context->input("rate", &rate));
    const WriteLocks locks({&emas, &variables});
    std::vector<int64_t> lengths;
    std::vector<const float*> values;
    for (const auto& variable : variables) {
      lengths.push_back(variable->tensor()->NumElements());
      values.push_back(variable->tensor()->flat<float>().data());
    }
    std::vector<float*> buffers;
    OP_REQUIRES_OK(context, beginUpdates(context, emas, lengths, &buffers));
    const float share = rate->scalar<float>()();
    updateAll(poolOf(context), lengths, [&](size_t i, int64_t begin, int64_t end) {
      kernels().ema(end - begin, buffers[i] + begin, values[i] + begin, share);
    });
  }
};
REGISTER_KERNEL_BUILDER(Name("FerkitEma").Device(DEVICE_CPU), Ema);

}  // namespace
}  // namespace ferkit
