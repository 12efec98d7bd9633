// Convolutions and their gradients; the batch norm after them, and norm and activation before them, are part of the op.
#include "convolution_op.h"

namespace ferkit {
namespace {

REGISTER_OP("FerkitConvolution")
    .Input("x: float")
    .Input("x_norm: float")
    .Input("x_gate: float")
    .Input("kernel: float")
    .Input("gamma: float")
    .Input("beta: float")
    .Input("moving_mean: float")
    .Input("moving_variance: float")
    .Output("y: float")
    .Output("norm: float")
    .Output("new_mean: float")
    .Output("new_variance: float")
    .Attr("activation: int")
    .Attr("stride: int")
    .Attr("padding: int = 0")
    .Attr("depthwise: bool")
    .Attr("momentum: float")
    .Attr("epsilon: float");

class Convolution : public ConvolutionOp {
 public:
  explicit Convolution(OpKernelConstruction* context) : ConvolutionOp(context) {
    OP_REQUIRES_OK(context, context->GetAttr("momentum", &momentum_));
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &kernel = context->input(3);
    FERKIT_REQUIRES(context, areFeatures(context, 0) && fits(x, kernel));
    const Geometry geometry = geometryOf(x, kernel);
    const Features features = featuresAt(context, 0, activation_);
    FERKIT_REQUIRES(context, canRead(features, geometry));
    const int64_t channels = geometry.out.channels;
    for (int i = 4; i < 8; ++i) FERKIT_REQUIRES(context, hasLength(context->input(i), channels));
    float* y = allocate(context, 0, shapeOf(geometry.out));
    const BatchNorm norm{data(context->input(4)),
                         data(context->input(5)),
                         data(context->input(6)),
                         data(context->input(7)),
                         momentum_,
                         epsilon_,
                         allocate(context, 1, TensorShape({kNumNormRows, channels})),
                         allocate(context, 2, TensorShape({channels})),
                         allocate(context, 3, TensorShape({channels}))};
    if (!context->status().ok()) return;
    const auto run = isDepthwise_ ? kernels().depthwise : kernels().convolution;
    run(poolOf(context), geometry, features, data(kernel), y, norm);
  }

 private:
  float momentum_, epsilon_;
};

REGISTER_OP("FerkitConvolutionGradient")
    .Input("gradient: float")
    .Input("d_gamma: float")
    .Input("d_beta: float")
    .Input("y: float")
    .Input("y_norm: float")
    .Input("x: float")
    .Input("x_norm: float")
    .Input("x_gate: float")
    .Input("kernel: float")
    .Output("d_kernel: float")
    .Output("d_x: float")
    .Output("d_x_gamma: float")
    .Output("d_x_beta: float")
    .Attr("activation: int")
    .Attr("stride: int")
    .Attr("padding: int = 0")
    .Attr("depthwise: bool")
    .Attr("needs_input: bool");

class ConvolutionGradient : public ConvolutionOp {
 public:
  explicit ConvolutionGradient(OpKernelConstruction* context) : ConvolutionOp(context) {
    OP_REQUIRES_OK(context, context->GetAttr("needs_input", &needsInput_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &gradient = context->input(0), &y = context->input(3), &x = context->input(5), &kernel = context->input(8);
    FERKIT_REQUIRES(context, areFeatures(context, 5) && fits(x, kernel));
    const Geometry geometry = geometryOf(x, kernel);
    const int64_t channels = geometry.out.channels;
    FERKIT_REQUIRES(context, y.shape() == shapeOf(geometry.out) && gradient.shape() == y.shape());
    FERKIT_REQUIRES(context, hasLength(context->input(1), channels) && hasLength(context->input(2), channels));
    FERKIT_REQUIRES(context, hasLength(context->input(4), kNumNormRows * channels));
    FERKIT_REQUIRES(context, !needsInput_ || isDepthwise_ || isPointwise(geometry));
    const Features features = featuresAt(context, 5, activation_);
    FERKIT_REQUIRES(context, canRead(features, geometry));
    const NormalizedGradient<float> dy{data(gradient), data(y), data(context->input(4)), data(context->input(1)),
                                data(context->input(2))};
    float* dKernel = allocate(context, 0, kernel.shape());
    FeaturesGradient dx =
        allocateGradient(context, 1, needsInput_ ? geometry.in : Extent{0, 0, 0, 0}, needsInput_ && features.norm && !features.gate);
    if (!context->status().ok()) return;
    if (!needsInput_) dx.gradient = nullptr;
    const auto run = isDepthwise_ ? kernels().depthwiseGradient : kernels().convolutionGradient;
    run(poolOf(context), geometry, dy, features, data(kernel), GradientUse{dKernel}, dx);
  }

 private:
  bool needsInput_;
};

REGISTER_KERNEL_BUILDER(Name("FerkitConvolution").Device(tensorflow::DEVICE_CPU), Convolution);
REGISTER_KERNEL_BUILDER(Name("FerkitConvolutionGradient").Device(tensorflow::DEVICE_CPU), ConvolutionGradient);

}  // namespace
}  // namespace ferkit
