// Plans as ops: one builds a plan, one runs it on a batch, one frees it.
#include "network_text.h"
#include "operands.h"
#include "registry.h"

namespace ferkit {
namespace {
using namespace tensorflow;

REGISTER_OP("FerkitPlanBuild")
    .Input("weights: N * float")
    .Output("plan: int32")
    .Attr("N: int >= 1")
    .Attr("network: string")
    .Attr("precision: {'float32', 'bfloat16'}")
    .SetIsStateful();

class PlanBuild : public OpKernel {
 public:
  explicit PlanBuild(OpKernelConstruction* context) : OpKernel(context) {
    std::string text, precision, problem;
    OP_REQUIRES_OK(context, context->GetAttr("network", &text));
    OP_REQUIRES_OK(context, context->GetAttr("precision", &precision));
    network_ = readNetwork(text, &problem);
    OP_REQUIRES(context, problem.empty(), errors::InvalidArgument("network: ", problem));
    kernels_ = planKernels(precision == "bfloat16");
    OP_REQUIRES(context, kernels_, errors::InvalidArgument("expected a processor with AVX512-BF16 for bfloat16"));
  }
  void Compute(OpKernelContext* context) override {
    OpInputList inputs;
    OP_REQUIRES_OK(context, context->input_list("weights", &inputs));
    const std::vector<int64_t> lengths = network_.weightLengths();
    OP_REQUIRES(context, inputs.size() == (int)lengths.size(),
                errors::InvalidArgument("expected ", lengths.size(), " weights, found ", inputs.size()));
    std::vector<const float*> weights;
    for (int i = 0; i < inputs.size(); ++i) {
      OP_REQUIRES(context, hasLength(inputs[i], lengths[i]),
                  errors::InvalidArgument("weights ", i, ": expected ", lengths[i], " numbers, found ", inputs[i].NumElements()));
      weights.push_back(data(inputs[i]));
    }
    Tensor* id = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({}), &id));
    id->scalar<int32>()() = Registry<Plan>::get().add(std::make_shared<Plan>(*kernels_, network_, weights));
  }

 private:
  NetworkDescription network_;
  const PlanKernels* kernels_ = nullptr;
};

REGISTER_OP("FerkitPlanRun")
    .Input("plan: int32")
    .Input("images: T")
    .Output("result: float")
    .Attr("T: {uint8, float}")
    .Attr("features: bool")
    .SetIsStateful();

/** Gives the logits, or the last feature map. */
class PlanRun : public OpKernel {
 public:
  explicit PlanRun(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("features", &givesFeatures_));
  }
  void Compute(OpKernelContext* context) override {
    const Tensor &id = context->input(0), &images = context->input(1);
    FERKIT_REQUIRES(context, hasLength(id, 1));
    FERKIT_REQUIRES(context, isImages(images) && images.dim_size(3) == 3);
    const std::shared_ptr<Plan> plan = Registry<Plan>::get().find(id.flat<int32>()(0));
    OP_REQUIRES(context, plan, errors::NotFound("expected a plan that was not freed"));
    const NetworkDescription& network = plan->description();
    const Extent extent = extentOf(images);
    const bool areFloats = images.dtype() == DT_FLOAT;
    const void* pixels = areFloats ? static_cast<const void*>(images.flat<float>().data()) : images.flat<uint8>().data();
    const PlanInput input{pixels, areFloats, extent.batch, extent.height, extent.width};
    const int64_t height = network.featureSide(extent.height), width = network.featureSide(extent.width);
    FERKIT_REQUIRES(context, height > 0 && width > 0);
    const TensorShape logitsShape({extent.batch, network.numClasses});
    if (!givesFeatures_) {
      float* const logits = allocate(context, 0, logitsShape);
      if (logits) plan->run(poolOf(context), input, logits, nullptr);
      return;
    }
    float* const features = allocate(context, 0, TensorShape({extent.batch, height, width, network.topFilters}));
    Tensor logits;
    OP_REQUIRES_OK(context, context->allocate_temp(DT_FLOAT, logitsShape, &logits));
    if (features) plan->run(poolOf(context), input, logits.flat<float>().data(), features);
  }

 private:
  bool givesFeatures_;
};

REGISTER_OP("FerkitPlanFree").Input("plan: int32").SetIsStateful();

class PlanFree : public OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    FERKIT_REQUIRES(context, hasLength(context->input(0), 1));
    Registry<Plan>::get().remove(context->input(0).flat<int32>()(0));
  }
};

REGISTER_KERNEL_BUILDER(Name("FerkitPlanBuild").Device(DEVICE_CPU), PlanBuild);
REGISTER_KERNEL_BUILDER(Name("FerkitPlanRun").Device(DEVICE_CPU), PlanRun);
REGISTER_KERNEL_BUILDER(Name("FerkitPlanFree").Device(DEVICE_CPU), PlanFree);

}  // namespace
}  // namespace ferkit
