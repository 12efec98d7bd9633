// Squeeze-and-excite, of features whose norm is applied as they are read.
#include "operands.h"

namespace ferkit {
namespace {

class ExciteOp : public ActivationOp {
 public:
  using ActivationOp::ActivationOp;

 protected:
  /** Checks the four weights from `index` on: kernels [.., channels, reduced] and [.., reduced, channels], each with a bias. */
  static bool areWeights(OpKernelContext* context, int index, int64_t channels) {
    const int64_t numReduced = context->input(index + 1).NumElements();
    return numReduced > 0 && hasLength(context->input(index), channels * numReduced) &&
           hasLength(context->input(index + 2), channels * numReduced) && hasLength(context->input(index + 3), channels);
  }
  static ExciteWeights weightsAt(OpKernelContext* context, int index) {
    const auto at = [&](int offset) { return data(context->input(index + offset)); };
    return {context->input(index + 1).NumElements(), at(0), at(1), at(2), at(3)};
  }
};

REGISTER_OP("FerkitExcite")
    .Input("x: float")
    .Input("norm: float")
    .Input("gate: float")
    .Input("reduce_kernel: float")
    .Input("reduce_bias: float")
    .Input("expand_kernel: float")
    .Input("expand_bias: float")
    .Output("means: float")
    .Output("reduced: float")
    .Output("result: float")
    .Attr("activation: int");

class Excite : public ExciteOp {
 public:
  using ExciteOp::ExciteOp;
  void Compute(OpKernelContext* context) override {
    FERKIT_REQUIRES(context, areFeatures(context, 0));
    const Extent extent = extentOf(context->input(0));
    FERKIT_REQUIRES(context, areWeights(context, 3, extent.channels));
    const ExciteWeights weights = weightsAt(context, 3);
    float* means = allocate(context, 0, TensorShape({extent.batch, extent.channels}));
    float* reduced = allocate(context, 1, TensorShape({extent.batch, weights.numReduced}));
    float* gate = allocate(context, 2, TensorShape({extent.batch, extent.channels}));
    if (!context->status().ok()) return;
    kernels().excite(poolOf(context), extent, featuresAt(context, 0, activation_), weights, means, reduced, gate);
  }
};

REGISTER_OP("FerkitExciteGradient")
    .Input("x: float")
    .Input("norm: float")
    .Input("gate: float")
    .Input("reduce_kernel: float")
    .Input("reduce_bias: float")
    .Input("expand_kernel: float")
    .Input("expand_bias: float")
    .Input("means: float")
    .Input("reduced: float")
    .Input("d_gated: float")
    .Output("d_x: float")
    .Output("d_gamma: float")
    .Output("d_beta: float")
    .Output("d_reduce_kernel: float")
    .Output("d_reduce_bias: float")
    .Output("d_expand_kernel: float")
    .Output("d_expand_bias: float")
    .Attr("activation: int");

class ExciteGradient : public ExciteOp {
 public:
  using ExciteOp::ExciteOp;
  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &means = context->input(7), &reduced = context->input(8), &dGated = context->input(9);
    FERKIT_REQUIRES(context, areFeatures(context, 0) && context->input(1).NumElements() && context->input(2).NumElements());
    const Extent extent = extentOf(x);
    FERKIT_REQUIRES(context, areWeights(context, 3, extent.channels));
    const ExciteWeights weights = weightsAt(context, 3);
    FERKIT_REQUIRES(context, hasLength(means, extent.batch * extent.channels) &&
                                 hasLength(reduced, extent.batch * weights.numReduced) && hasLength(dGated, x.NumElements()));
    const FeaturesGradient dx = allocateGradient(context, 0, extent, true);
    ExciteWeightsGradient dWeights;
    for (int i = 0; i < 4; ++i) dWeights.parts[i] = {allocate(context, 3 + i, context->input(3 + i).shape())};
    if (!context->status().ok()) return;
    kernels().exciteGradient(poolOf(context), extent, data(dGated), featuresAt(context, 0, activation_), weights, data(means),
                             data(reduced), dWeights, dx);
  }
};

REGISTER_KERNEL_BUILDER(Name("FerkitExcite").Device(tensorflow::DEVICE_CPU), Excite);
REGISTER_KERNEL_BUILDER(Name("FerkitExciteGradient").Device(tensorflow::DEVICE_CPU), ExciteGradient);

}  // namespace
}  // namespace ferkit
