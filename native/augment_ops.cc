// Augmentation of a batch of images as one op.
#include "operands.h"

namespace ferkit {
namespace {
using namespace tensorflow;

REGISTER_OP("FerkitAugment")
    .Input("images: float")
    .Input("transforms: float")
    .Input("light: float")
    .Input("erased: float")
    .Input("colour: float")
    .Output("result: float")
    .Attr("height: int >= 1")
    .Attr("width: int >= 1")
    .Attr("border: int >= 0");

class Augment : public OpKernel {
 public:
  explicit Augment(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("height", &height_));
    OP_REQUIRES_OK(context, context->GetAttr("width", &width_));
    OP_REQUIRES_OK(context, context->GetAttr("border", &border_));
  }
  void Compute(OpKernelContext* context) override {
    const Tensor &images = context->input(0), &transforms = context->input(1);
    const Tensor &light = context->input(2), &erased = context->input(3), &colour = context->input(4);
    FERKIT_REQUIRES(context, isImages(images));
    const Extent in = extentOf(images), out{in.batch, height_, width_, in.channels};
    FERKIT_REQUIRES(context, in.channels == 3 || in.channels == 1);
    FERKIT_REQUIRES(context, hasLength(transforms, in.batch * 6));
    FERKIT_REQUIRES(context, isEmptyOr(light, in.batch * 2));
    FERKIT_REQUIRES(context, isEmptyOr(erased, in.batch * 4));
    FERKIT_REQUIRES(context, hasLength(colour, in.channels));
    FERKIT_REQUIRES(context, border_ <= (int64_t)Border::kReflect);
    float* result = allocate(context, 0, shapeOf(out));
    if (!result) return;
    const Augmentation augmentation{in,           out, (Border)border_, data(colour), data(transforms),
                                    dataOrNull(light), dataOrNull(erased)};
    kernels().augment(poolOf(context), augmentation, data(images), result);
  }

 private:
  int64_t height_, width_, border_;
};
REGISTER_KERNEL_BUILDER(Name("FerkitAugment").Device(DEVICE_CPU), Augment);

}  // namespace
}  // namespace ferkit
