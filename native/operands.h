// Converts inputs and outputs of ops to what kernels take.
#pragma once
#include "runtime.h"
#include "tensorflow/core/framework/op.h"

namespace ferkit {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Status;
using tensorflow::Tensor;
using tensorflow::TensorShape;

inline const float* data(const Tensor& tensor) { return tensor.flat<float>().data(); }
/** Returns null for an empty tensor, which stands for an absent input. */
inline const float* dataOrNull(const Tensor& tensor) { return tensor.NumElements() ? data(tensor) : nullptr; }

inline bool isImages(const Tensor& tensor) { return tensor.dims() == 4 && tensor.NumElements() > 0; }
inline bool hasLength(const Tensor& tensor, int64_t length) { return tensor.NumElements() == length; }
inline bool isEmptyOr(const Tensor& tensor, int64_t length) { return !tensor.NumElements() || hasLength(tensor, length); }

inline Extent extentOf(const Tensor& tensor) {
  return {tensor.dim_size(0), tensor.dim_size(1), tensor.dim_size(2), tensor.dim_size(3)};
}
inline TensorShape shapeOf(const Extent& extent) {
  return TensorShape({extent.batch, extent.height, extent.width, extent.channels});
}

/** Returns an output's memory; null after an error. */
inline float* allocate(OpKernelContext* context, int index, const TensorShape& shape) {
  Tensor* output = nullptr;
  const Status status = context->allocate_output(index, shape, &output);
  if (!status.ok()) context->SetStatus(status);
  return output ? output->flat<float>().data() : nullptr;
}

/** Reads the inputs `values` [batch, height, width, channels], `norm` and `gate` from `index` on. */
inline Features featuresAt(OpKernelContext* context, int index, Activation activation) {
  return {data(context->input(index)), dataOrNull(context->input(index + 1)), activation, dataOrNull(context->input(index + 2))};
}
inline bool areFeatures(OpKernelContext* context, int index) {
  const Tensor& values = context->input(index);
  if (!isImages(values)) return false;
  const int64_t channels = values.dim_size(3);
  return isEmptyOr(context->input(index + 1), kNumNormRows * channels) &&
         isEmptyOr(context->input(index + 2), values.dim_size(0) * channels);
}

/** Allocates the outputs gradient, dGamma and dBeta; the last two are empty if there is no norm. */
inline FeaturesGradient allocateGradient(OpKernelContext* context, int index, const Extent& extent, bool hasNorm) {
  const TensorShape perChannel({hasNorm ? extent.channels : 0});
  return {allocate(context, index, shapeOf(extent)), allocate(context, index + 1, perChannel),
          allocate(context, index + 2, perChannel)};
}

/** An op that has its activation as an attribute. */
class ActivationOp : public tensorflow::OpKernel {
 public:
  explicit ActivationOp(OpKernelConstruction* context) : OpKernel(context) {
    int activation = 0;
    OP_REQUIRES_OK(context, context->GetAttr("activation", &activation));
    OP_REQUIRES(context, activation >= kLinear && activation <= kSwish,
                tensorflow::errors::InvalidArgument("activation: expected 0, 1 or 2, found ", activation));
    activation_ = static_cast<Activation>(activation);
  }

 protected:
  Activation activation_;
};

}  // namespace ferkit

/** Ends an op with an error that names it unless the condition holds: kernels do not check their operands. */
#define FERKIT_REQUIRES(context, condition)                                                                          \
  OP_REQUIRES(context, condition,                                                                                    \
              tensorflow::errors::InvalidArgument((context)->op_kernel().type_string(), ": operands do not fit: ", #condition))
