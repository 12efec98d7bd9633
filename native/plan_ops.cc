// Plans as ops: one builds a plan, one runs it on a batch, one frees it.
#include <map>
#include <sstream>

#include "operands.h"
#include "plan.h"

namespace ferkit {
namespace {
using namespace tensorflow;

/** The plans of this process by number. */
class PlanRegistry {
 public:
  int add(std::shared_ptr<Plan> plan) {
    const std::lock_guard<std::mutex> lock(mutex_);
    plans_[++last_] = std::move(plan);
    return last_;
  }
  std::shared_ptr<Plan> find(int id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = plans_.find(id);
    return found == plans_.end() ? nullptr : found->second;
  }
  void remove(int id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    plans_.erase(id);
  }

 private:
  std::mutex mutex_;
  std::map<int, std::shared_ptr<Plan>> plans_;
  int last_ = 0;
};

PlanRegistry& registry() {
  static PlanRegistry registry;
  return registry;
}

/**
 * Reads a description: activation and padding (numbers of their types), epsilon, mean and deviation of the three
 * channels, filters of stem and top, number of classes, number of blocks; then for each block kernel size, stride, filters before and
 * after, expansion ratio, bottleneck of squeeze-and-excite, and 1 for a residual or 0.
 */
NetworkDescription readNetwork(const std::string& text, std::string* problem) {
  std::istringstream in(text);
  NetworkDescription network{};
  int activation = 0, padding = 0;
  size_t numBlocks = 0;
  in >> activation >> padding >> network.epsilon;
  for (float& mean : network.mean) in >> mean;
  for (float& std : network.std) in >> std;
  in >> network.stemFilters >> network.topFilters >> network.numClasses >> numBlocks;
  network.activation = static_cast<Activation>(activation);
  network.padding = static_cast<Padding>(padding);
  for (size_t i = 0; in && i < numBlocks; ++i) {
    BlockDescription block;
    in >> block.kernelSize >> block.stride >> block.numIn >> block.numOut >> block.expandRatio >> block.numReduced >> block.hasResidual;
    network.blocks.push_back(block);
  }
  *problem = in ? network.problem() : "expected numbers only, and as many as the blocks need";
  return network;
}

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
    id->scalar<int32>()() = registry().add(std::make_shared<Plan>(*kernels_, network_, weights));
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
    const std::shared_ptr<Plan> plan = registry().find(id.flat<int32>()(0));
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
    registry().remove(context->input(0).flat<int32>()(0));
  }
};

REGISTER_KERNEL_BUILDER(Name("FerkitPlanBuild").Device(DEVICE_CPU), PlanBuild);
REGISTER_KERNEL_BUILDER(Name("FerkitPlanRun").Device(DEVICE_CPU), PlanRun);
REGISTER_KERNEL_BUILDER(Name("FerkitPlanFree").Device(DEVICE_CPU), PlanFree);

}  // namespace
}  // namespace ferkit
