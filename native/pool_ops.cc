// Residuals and means over an image, of features whose norm is applied as they are read.
#include "operands.h"

namespace ferkit {
namespace {

REGISTER_OP("FerkitResidual")
    .Input("branch: float")
    .Input("norm: float")
    .Input("gate: float")
    .Input("mask: float")
    .Input("skip: float")
    .Output("y: float")
    .Attr("activation: int");

class Residual : public ActivationOp {
 public:
  using ActivationOp::ActivationOp;
  void Compute(OpKernelContext* context) override {
    const Tensor &branch = context->input(0), &mask = context->input(3), &skip = context->input(4);
    FERKIT_REQUIRES(context, areFeatures(context, 0) && context->input(1).NumElements());
    FERKIT_REQUIRES(context, isEmptyOr(mask, branch.dim_size(0)) && isEmptyOr(skip, branch.NumElements()));
    float* y = allocate(context, 0, branch.shape());
    if (!context->status().ok()) return;
    kernels().residual(poolOf(context), extentOf(branch), featuresAt(context, 0, activation_), dataOrNull(mask),
                       dataOrNull(skip), y);
  }
};

REGISTER_OP("FerkitResidualGradient")
    .Input("branch: float")
    .Input("norm: float")
    .Input("gate: float")
    .Input("mask: float")
    .Input("d_y: float")
    .Output("d_branch: float")
    .Output("d_gamma: float")
    .Output("d_beta: float")
    .Attr("activation: int");

class ResidualGradient : public ActivationOp {
 public:
  using ActivationOp::ActivationOp;
  void Compute(OpKernelContext* context) override {
    const Tensor &branch = context->input(0), &mask = context->input(3), &dy = context->input(4);
    FERKIT_REQUIRES(context, areFeatures(context, 0) && context->input(1).NumElements());
    FERKIT_REQUIRES(context, isEmptyOr(mask, branch.dim_size(0)) && hasLength(dy, branch.NumElements()));
    const FeaturesGradient dBranch = allocateGradient(context, 0, extentOf(branch), true);
    if (!context->status().ok()) return;
    kernels().residualGradient(poolOf(context), extentOf(branch), data(dy), featuresAt(context, 0, activation_),
                               dataOrNull(mask), dBranch);
  }
};

REGISTER_OP("FerkitMeanPool")
    .Input("x: float")
    .Input("norm: float")
    .Input("gate: float")
    .Output("means: float")
    .Attr("activation: int");

class MeanPool : public ActivationOp {
 public:
  using ActivationOp::ActivationOp;
  void Compute(OpKernelContext* context) override {
    FERKIT_REQUIRES(context, areFeatures(context, 0));
    const Extent extent = extentOf(context->input(0));
    float* means = allocate(context, 0, TensorShape({extent.batch, extent.channels}));
    if (!context->status().ok()) return;
    kernels().meanPool(poolOf(context), extent, featuresAt(context, 0, activation_), means);
  }
};

REGISTER_OP("FerkitMeanPoolGradient")
    .Input("x: float")
    .Input("norm: float")
    .Input("gate: float")
    .Input("d_means: float")
    .Output("d_x: float")
    .Output("d_gamma: float")
    .Output("d_beta: float")
    .Attr("activation: int");

class MeanPoolGradient : public ActivationOp {
 public:
  using ActivationOp::ActivationOp;
  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &dMeans = context->input(3);
    FERKIT_REQUIRES(context, areFeatures(context, 0) && context->input(1).NumElements());
    FERKIT_REQUIRES(context, hasLength(dMeans, x.dim_size(0) * x.dim_size(3)));
    const FeaturesGradient dx = allocateGradient(context, 0, extentOf(x), true);
    if (!context->status().ok()) return;
    kernels().meanPoolGradient(poolOf(context), extentOf(x), data(dMeans), featuresAt(context, 0, activation_), dx);
  }
};

REGISTER_KERNEL_BUILDER(Name("FerkitResidual").Device(tensorflow::DEVICE_CPU), Residual);
REGISTER_KERNEL_BUILDER(Name("FerkitResidualGradient").Device(tensorflow::DEVICE_CPU), ResidualGradient);
REGISTER_KERNEL_BUILDER(Name("FerkitMeanPool").Device(tensorflow::DEVICE_CPU), MeanPool);
REGISTER_KERNEL_BUILDER(Name("FerkitMeanPoolGradient").Device(tensorflow::DEVICE_CPU), MeanPoolGradient);

}  // namespace
}  // namespace ferkit
