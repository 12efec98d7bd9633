// Convolution, batch norm by moving statistics, activation and residual in one op.
#include <cmath>

#include "convolution_op.h"

namespace ferkit {
namespace {

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
    .Attr("padding: int = 0")
    .Attr("depthwise: bool")
    .Attr("epsilon: float");

/** The attribute `activation` is that of the result. */
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
    for (int i = 4; i < 8; ++i) FERKIT_REQUIRES(context, hasLength(context->input(i), channels));
    float* y = allocate(context, 0, shapeOf(geometry.out));
    Tensor affine;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({2, channels}), &affine));
    if (!context->status().ok()) return;
    float* scale = affine.flat<float>().data();
    fold(context, channels, scale, scale + channels);
    const Finish<float> finish{scale, scale + channels, activation_, dataOrNull(residual)};
    const auto run = isDepthwise_ ? kernels().depthwiseInference : kernels().convolutionInference;
    run(poolOf(context), geometry, features, data(kernel), y, finish);
  }

 private:
  void fold(OpKernelContext* context, int64_t channels, float* scale, float* shift) const {
    const float *gamma = data(context->input(4)), *beta = data(context->input(5));
    const float *mean = data(context->input(6)), *variance = data(context->input(7));
    for (int64_t c = 0; c < channels; ++c) {
      scale[c] = gamma[c] / std::sqrt(variance[c] + epsilon_);
      shift[c] = beta[c] - mean[c] * scale[c];
    }
  }

  float epsilon_;
};

REGISTER_KERNEL_BUILDER(Name("FerkitConvolutionInference").Device(tensorflow::DEVICE_CPU), ConvolutionInference);

}  // namespace
}  // namespace ferkit
