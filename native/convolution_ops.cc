// Convolutions and their gradients, with the batch norm after them and what lies before them in one op.
#include <cmath>

#include "operands.h"

namespace ferkit {
namespace {

/** What the kernel makes of an input: SAME padding; depthwise kernels are [k, k, channels, 1]. */
class ConvolutionOp : public ActivationOp {
 public:
  explicit ConvolutionOp(OpKernelConstruction* context) : ActivationOp(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("depthwise", &isDepthwise_));
    OP_REQUIRES(context, stride_ >= 1, tensorflow::errors::InvalidArgument("stride: expected 1 or more, found ", stride_));
  }

 protected:
  bool fits(const Tensor& x, const Tensor& kernel) const {
    if (!isImages(x) || kernel.dims() != 4 || kernel.dim_size(0) != kernel.dim_size(1)) return false;
    const int64_t size = kernel.dim_size(0);
    if (kernel.dim_size(2) != x.dim_size(3) || size < stride_) return false;
    return isDepthwise_ ? (size == 3 || size == 5) && kernel.dim_size(3) == 1 : kernel.dim_size(3) > 0;
  }

  Geometry geometryOf(const Tensor& x, const Tensor& kernel) const {
    const Extent in = extentOf(x);
    const auto strided = [this](int64_t length) { return (length + stride_ - 1) / stride_; };
    const int64_t channels = isDepthwise_ ? in.channels : kernel.dim_size(3);
    return {in, {in.batch, strided(in.height), strided(in.width), channels}, kernel.dim_size(0), stride_};
  }

  static bool isPointwise(const Geometry& geometry) { return geometry.kernelSize == 1 && geometry.stride == 1; }

  /** Only 1×1 convolutions take gates; larger ones that are not depthwise take images, without activation. */
  bool canRead(const Features& x, const Geometry& geometry) const {
    if (isPointwise(geometry)) return true;
    if (isDepthwise_) return !x.gate;
    return !x.gate && x.activation == kLinear && geometry.kernelSize * geometry.in.channels <= kMaxPatchWidth;
  }

  int stride_;
  bool isDepthwise_;
};

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
    const NormalizedGradient dy{data(gradient), data(y), data(context->input(4)), data(context->input(1)),
                                data(context->input(2))};
    float* dKernel = allocate(context, 0, kernel.shape());
    FeaturesGradient dx =
        allocateGradient(context, 1, needsInput_ ? geometry.in : Extent{0, 0, 0, 0}, needsInput_ && features.norm && !features.gate);
    if (!context->status().ok()) return;
    if (!needsInput_) dx.gradient = nullptr;
    const auto run = isDepthwise_ ? kernels().depthwiseGradient : kernels().convolutionGradient;
    run(poolOf(context), geometry, dy, features, data(kernel), dKernel, dx);
  }

 private:
  bool needsInput_;
};

REGISTER_OP("FerkitConvolutionInference")
    .Input("x: float")
    .Input("x_norm: float")
    .Input("x_gate: float")
    .Input("kernel: float")
    .Input("gamma: float")
    .Input("beta: float")
    .Input("moving_mean: float")
    .Input("moving_variance: float")
    .Input("residual: float")
    .Output("y: float")
    .Attr("activation: int")
    .Attr("stride: int")
    .Attr("depthwise: bool")
    .Attr("epsilon: float");

/** Here the activation is that of the result. Without gamma and statistics, beta is a bias. */
class ConvolutionInference : public ConvolutionOp {
 public:
  explicit ConvolutionInference(OpKernelConstruction* context) : ConvolutionOp(context) {
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor &x = context->input(0), &kernel = context->input(3), &residual = context->input(8);
    FERKIT_REQUIRES(context, areFeatures(context, 0) && fits(x, kernel));
    const Geometry geometry = geometryOf(x, kernel);
    const Features features = featuresAt(context, 0, kLinear);
    FERKIT_REQUIRES(context, canRead(features, geometry) && !(isDepthwise_ && residual.NumElements()));
    FERKIT_REQUIRES(context, isEmptyOr(residual, geometry.out.pixels() * geometry.out.channels));
    const int64_t channels = geometry.out.channels;
    FERKIT_REQUIRES(context, hasLength(context->input(5), channels));
    for (int i : {4, 6, 7}) FERKIT_REQUIRES(context, hasLength(context->input(i), context->input(4).NumElements() ? channels : 0));
    float* y = allocate(context, 0, shapeOf(geometry.out));
    Tensor affine;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({2, channels}), &affine));
    if (!context->status().ok()) return;
    float* scale = affine.flat<float>().data();
    fold(context, channels, scale, scale + channels);
    const Finish finish{scale, scale + channels, activation_, dataOrNull(residual)};
    const auto run = isDepthwise_ ? kernels().depthwiseInference : kernels().convolutionInference;
    run(poolOf(context), geometry, features, data(kernel), y, finish);
  }

 private:
  void fold(OpKernelContext* context, int64_t channels, float* scale, float* shift) const {
    const float* gamma = dataOrNull(context->input(4));
    const float *beta = data(context->input(5)), *mean = data(context->input(6)), *variance = data(context->input(7));
    for (int64_t c = 0; c < channels; ++c) {
      scale[c] = gamma ? gamma[c] / std::sqrt(variance[c] + epsilon_) : 1.f;
      shift[c] = gamma ? beta[c] - mean[c] * scale[c] : beta[c];
    }
  }

  float epsilon_;
};

REGISTER_KERNEL_BUILDER(Name("FerkitConvolution").Device(tensorflow::DEVICE_CPU), Convolution);
REGISTER_KERNEL_BUILDER(Name("FerkitConvolutionGradient").Device(tensorflow::DEVICE_CPU), ConvolutionGradient);
REGISTER_KERNEL_BUILDER(Name("FerkitConvolutionInference").Device(tensorflow::DEVICE_CPU), ConvolutionInference);

}  // namespace
}  // namespace ferkit
