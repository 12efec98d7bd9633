// Attributes and checks that all convolution ops share.
#pragma once
#include "operands.h"

namespace ferkit {

/** Convolution with zero padding; depthwise kernels are [k, k, channels, 1]. */
class ConvolutionOp : public ActivationOp {
 public:
  explicit ConvolutionOp(OpKernelConstruction* context) : ActivationOp(context) {
    OP_REQUIRES_OK(context, context->GetAttr("stride", &stride_));
    OP_REQUIRES_OK(context, context->GetAttr("depthwise", &isDepthwise_));
    OP_REQUIRES(context, stride_ >= 1, tensorflow::errors::InvalidArgument("stride: expected 1 or more, found ", stride_));
    int padding = 0;
    OP_REQUIRES_OK(context, context->GetAttr("padding", &padding));
    OP_REQUIRES(context, padding >= kSame && padding <= kEven,
                tensorflow::errors::InvalidArgument("padding: expected 0, 1 or 2, found ", padding));
    padding_ = static_cast<Padding>(padding);
  }

 protected:
  bool fits(const Tensor& x, const Tensor& kernel) const {
    if (!isImages(x) || kernel.dims() != 4 || kernel.dim_size(0) != kernel.dim_size(1)) return false;
    const int64_t size = kernel.dim_size(0);
    if (kernel.dim_size(2) != x.dim_size(3) || size < stride_) return false;
    if (strided(x.dim_size(1)) < 1 || strided(x.dim_size(2)) < 1) return false;
    return isDepthwise_ ? (size == 3 || size == 5) && kernel.dim_size(3) == 1 : kernel.dim_size(3) > 0;
  }

  Geometry geometryOf(const Tensor& x, const Tensor& kernel) const {
    const Extent in = extentOf(x);
    const int64_t channels = isDepthwise_ ? in.channels : kernel.dim_size(3);
    return {in, {in.batch, strided(in.height), strided(in.width), channels}, kernel.dim_size(0), stride_, padding_};
  }

  static bool isPointwise(const Geometry& geometry) { return geometry.kernelSize == 1 && geometry.stride == 1; }

  /** Only 1×1 convolutions take gates; larger ones that are not depthwise take images without activation. */
  bool canRead(const Features& x, const Geometry& geometry) const {
    if (isPointwise(geometry)) return true;
    if (isDepthwise_) return !x.gate;
    return !x.gate && x.activation == kLinear && geometry.kernelSize * geometry.in.channels <= kMaxPatchWidth;
  }

  int stride_;
  Padding padding_;
  bool isDepthwise_;

 private:
  int64_t strided(int64_t length) const { return padding_ == kEven ? length / stride_ : (length + stride_ - 1) / stride_; }
};

}  // namespace ferkit
