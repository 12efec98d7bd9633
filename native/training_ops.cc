// Training plans as ops: one builds a plan on variables, one trains on a batch, one only computes gradients, one frees the plan.
#include "network_text.h"
#include "operands.h"
#include "registry.h"
#include "training.h"
#include "variables.h"

namespace ferkit {
namespace {
using namespace tensorflow;

/** A training plan and the variables that it reads and changes. */
struct TrainingSession {
  TrainingSession(const NetworkDescription& network, const TrainingOptions& options) : plan(kernelTables(), network, options) {}

  TrainingPlan plan;
  /** All parameters; moments of the trained ones; averages of all, or none. */
  Variables values, first, second, emas;
  /** For each parameter its position among the trained ones; −1 = not trained. */
  std::vector<int64_t> positions;
  std::mutex mutex;
};

std::shared_ptr<TrainingSession> findSession(OpKernelContext* context) {
  const Tensor& id = context->input(0);
  const auto session = hasLength(id, 1) ? Registry<TrainingSession>::get().find(id.flat<int32>()(0)) : nullptr;
  if (!session) context->SetStatus(errors::NotFound("expected a plan that was not freed"));
  return session;
}

/** Checks that variables have values of the right lengths, and finds their buffers. */
absl::Status findBuffers(const Variables& variables, const std::vector<int64_t>& lengths, std::vector<const float*>* buffers) {
  for (size_t i = 0; i < variables.size(); ++i) {
    const Tensor* tensor = variables[i]->tensor();
    if (!variables[i]->is_initialized || tensor->NumElements() != lengths[i])
      return errors::InvalidArgument("parameter ", i, ": expected ", lengths[i], " numbers, found ",
                                     variables[i]->is_initialized ? tensor->NumElements() : 0);
    buffers->push_back(tensor->flat<float>().data());
  }
  return absl::OkStatus();
}

REGISTER_OP("FerkitTrainingBuild")
    .Input("values: N * resource")
    .Input("first: M * resource")
    .Input("second: M * resource")
    .Input("emas: E * resource")
    .Output("plan: int32")
    .Attr("N: int >= 1")
    .Attr("M: int >= 1")
    .Attr("E: int >= 0")
    .Attr("network: string")
    .Attr("options: string")
    .SetIsStateful();

/** `options`: momentum, dropout rate, rate of dropped branches, index of the first trained block, whether activations are bfloat16. */
class TrainingBuild : public OpKernel {
 public:
  explicit TrainingBuild(OpKernelConstruction* context) : OpKernel(context) {
    std::string text, options, problem;
    OP_REQUIRES_OK(context, context->GetAttr("network", &text));
    OP_REQUIRES_OK(context, context->GetAttr("options", &options));
    network_ = readNetwork(text, &problem);
    OP_REQUIRES(context, problem.empty(), errors::InvalidArgument("network: ", problem));
    std::istringstream in(options);
    in >> options_.momentum >> options_.dropoutRate >> options_.dropPathRate >> options_.firstTrained >> options_.hasBfloat16Activations;
    const auto isRate = [](double rate) { return rate >= 0 && rate < 1; };
    OP_REQUIRES(context, in && isRate(options_.dropoutRate) && isRate(options_.dropPathRate),
                errors::InvalidArgument("options: expected rates in [0, 1)"));
    const int64_t numBlocks = network_.blocks.size() + 3;
    OP_REQUIRES(context, options_.firstTrained >= 0 && options_.firstTrained < numBlocks,
                errors::InvalidArgument("options: expected the first trained block to be one of ", numBlocks));
  }
  void Compute(OpKernelContext* context) override {
    const auto session = std::make_shared<TrainingSession>(network_, options_);
    OP_REQUIRES_OK(context, findVariables(context, "values", &session->values));
    OP_REQUIRES_OK(context, findVariables(context, "first", &session->first));
    OP_REQUIRES_OK(context, findVariables(context, "second", &session->second));
    OP_REQUIRES_OK(context, findVariables(context, "emas", &session->emas));
    const std::vector<int64_t> trained = session->plan.trainedParameters();
    FERKIT_REQUIRES(context, session->values.size() == network_.weightLengths().size());
    FERKIT_REQUIRES(context, session->first.size() == trained.size() && session->second.size() == trained.size());
    FERKIT_REQUIRES(context, session->emas.empty() || session->emas.size() == session->values.size());
    session->positions.assign(session->values.size(), -1);
    for (size_t i = 0; i < trained.size(); ++i) session->positions[trained[i]] = i;
    Tensor* id = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, TensorShape({}), &id));
    id->scalar<int32>()() = Registry<TrainingSession>::get().add(session);
  }

 private:
  NetworkDescription network_;
  TrainingOptions options_;
};

/** Inputs 0 to 4: plan, images, targets, example weights, seed; outputs 0 and 1: loss and logits. */
class TrainingOp : public OpKernel {
 public:
  using OpKernel::OpKernel;

 protected:
  /** Runs the session's plan; the caller holds its lock and those of its variables. */
  void run(OpKernelContext* context, TrainingSession* session, const std::vector<const float*>& values, TrainingOutput* output) {
    const Tensor &images = context->input(1), &targets = context->input(2), &weights = context->input(3), &seed = context->input(4);
    const NetworkDescription& network = session->plan.network();
    FERKIT_REQUIRES(context, isImages(images) && images.dim_size(3) == 3);
    const Extent extent = extentOf(images);
    FERKIT_REQUIRES(context, network.featureSide(extent.height) > 0 && network.featureSide(extent.width) > 0);
    FERKIT_REQUIRES(context, hasLength(targets, extent.batch * network.numClasses));
    FERKIT_REQUIRES(context, hasLength(weights, extent.batch) && hasLength(seed, 1));
    float* const loss = allocate(context, 0, TensorShape({}));
    output->logits = allocate(context, 1, TensorShape({extent.batch, network.numClasses}));
    if (!context->status().ok()) return;
    const TrainingInput input{data(images),  extent.batch,  extent.height, extent.width,
                              data(targets), data(weights), (uint32_t)seed.flat<int32>()(0)};
    try {
      session->plan.run(poolOf(context), input, values, output);
      *loss = output->loss;
    } catch (const std::bad_alloc&) {
      context->SetStatus(errors::ResourceExhausted("there is not enough memory for ", extent.batch, " images of ", extent.height, " × ",
                                                   extent.width, " pixels"));
    }
  }
};

REGISTER_OP("FerkitTrainingGradients")
    .Input("plan: int32")
    .Input("images: float")
    .Input("targets: float")
    .Input("example_weights: float")
    .Input("seed: int32")
    .Output("loss: float")
    .Output("logits: float")
    .Output("results: N * float")
    .Attr("N: int >= 1")
    .SetIsStateful();

/** For each parameter its gradient, the new value of a moving statistic, or nothing (an empty tensor) if it is not trained. */
class TrainingGradients : public TrainingOp {
 public:
  using TrainingOp::TrainingOp;
  void Compute(OpKernelContext* context) override {
    const auto session = findSession(context);
    if (!session) return;
    const std::lock_guard<std::mutex> sessionLock(session->mutex);
    const WriteLocks locks({&session->values});
    const std::vector<int64_t> lengths = session->plan.network().weightLengths();
    std::vector<const float*> values;
    OP_REQUIRES_OK(context, findBuffers(session->values, lengths, &values));
    FERKIT_REQUIRES(context, context->num_outputs() == (int)lengths.size() + 2);
    std::vector<bool> isSet(lengths.size());
    TrainingOutput output;
    const auto resultOf = [&](int64_t parameter) {
      isSet[parameter] = true;
      return allocate(context, 2 + parameter, session->values[parameter]->tensor()->shape());
    };
    output.useOf = [&](int64_t parameter) {
      float* const target = resultOf(parameter);
      if (!target) throw std::bad_alloc();
      return GradientUse{target};
    };
    output.onStatistic = [&](int64_t parameter, const float* statistic) {
      if (float* const target = resultOf(parameter)) std::copy_n(statistic, lengths[parameter], target);
    };
    run(context, session.get(), values, &output);
    for (size_t i = 0; i < lengths.size() && context->status().ok(); ++i)
      if (!isSet[i]) allocate(context, 2 + i, TensorShape({0}));
  }
};

REGISTER_OP("FerkitTrainingStep")
    .Input("plan: int32")
    .Input("images: float")
    .Input("targets: float")
    .Input("example_weights: float")
    .Input("seed: int32")
    .Input("step_sizes: float")
    .Input("decays: float")
    .Input("ema_rate: float")
    .Output("loss: float")
    .Output("logits: float")
    .Attr("beta1: float")
    .Attr("beta2: float")
    .Attr("epsilon: float")
    .SetIsStateful();

/** Gradients, Adam's step as each is known, new moving statistics, and the averages. */
class TrainingStep : public TrainingOp {
 public:
  explicit TrainingStep(OpKernelConstruction* context) : TrainingOp(context) {
    OP_REQUIRES_OK(context, context->GetAttr("beta1", &beta1_));
    OP_REQUIRES_OK(context, context->GetAttr("beta2", &beta2_));
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }
  void Compute(OpKernelContext* context) override {
    const auto session = findSession(context);
    if (!session) return;
    const Tensor &stepSizes = context->input(5), &decays = context->input(6), &emaRate = context->input(7);
    FERKIT_REQUIRES(context, hasLength(stepSizes, session->first.size()) && hasLength(decays, session->first.size()));
    FERKIT_REQUIRES(context, hasLength(emaRate, 1));
    const std::lock_guard<std::mutex> sessionLock(session->mutex);
    const WriteLocks locks({&session->values, &session->first, &session->second, &session->emas});
    const std::vector<int64_t> lengths = session->plan.network().weightLengths();
    std::vector<float*> values, first, second, emas;
    OP_REQUIRES_OK(context, beginUpdates(context, session->values, &values));
    OP_REQUIRES_OK(context, beginUpdates(context, session->first, &first));
    OP_REQUIRES_OK(context, beginUpdates(context, session->second, &second));
    OP_REQUIRES_OK(context, beginUpdates(context, session->emas, &emas));
    std::vector<const float*> readValues;
    OP_REQUIRES_OK(context, findBuffers(session->values, lengths, &readValues));
    for (size_t i = 0; i < lengths.size(); ++i) {
      const int64_t position = session->positions[i];
      const auto fits = [&](const Variables& variables, int64_t j) { return hasLength(*variables[j]->tensor(), lengths[i]); };
      FERKIT_REQUIRES(context, position < 0 || (fits(session->first, position) && fits(session->second, position)));
      FERKIT_REQUIRES(context, emas.empty() || fits(session->emas, i));
    }
    const Pool pool = poolOf(context);
    const float rate = emaRate.flat<float>()(0);
    std::vector<bool> isAveraged(lengths.size(), emas.empty());
    TrainingOutput output;
    output.useOf = [&](int64_t i) {
      const int64_t position = session->positions[i];
      isAveraged[i] = true;
      return GradientUse{nullptr,
                         values[i],
                         first[position],
                         second[position],
                         emas.empty() ? nullptr : emas[i],
                         stepSizes.flat<float>()(position),
                         decays.flat<float>()(position),
                         beta1_,
                         beta2_,
                         epsilon_,
                         rate};
    };
    output.onStatistic = [&](int64_t i, const float* statistic) { std::copy_n(statistic, lengths[i], values[i]); };
    run(context, session.get(), readValues, &output);
    if (!context->status().ok()) return;
    for (size_t i = 0; i < lengths.size(); ++i)
      if (!isAveraged[i]) average(pool, lengths[i], emas[i], values[i], rate);
  }

 private:
  static void average(const Pool& pool, int64_t length, float* ema, const float* values, float rate) {
    /** Numbers of a part, which are worth waking another thread for. */
    constexpr int64_t kPartLength = 16384;
    const int count = (int)(length / kPartLength + 1);
    onPool(pool, count, [&](int part) {
      const int64_t begin = length * part / count, end = length * (part + 1) / count;
      kernels().ema(end - begin, ema + begin, values + begin, rate);
    });
  }

  float beta1_, beta2_, epsilon_;
};

REGISTER_OP("FerkitTrainingFree").Input("plan: int32").SetIsStateful();

class TrainingFree : public OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    FERKIT_REQUIRES(context, hasLength(context->input(0), 1));
    Registry<TrainingSession>::get().remove(context->input(0).flat<int32>()(0));
  }
};

REGISTER_KERNEL_BUILDER(Name("FerkitTrainingBuild").Device(DEVICE_CPU), TrainingBuild);
REGISTER_KERNEL_BUILDER(Name("FerkitTrainingGradients").Device(DEVICE_CPU), TrainingGradients);
REGISTER_KERNEL_BUILDER(Name("FerkitTrainingStep").Device(DEVICE_CPU), TrainingStep);
REGISTER_KERNEL_BUILDER(Name("FerkitTrainingFree").Device(DEVICE_CPU), TrainingFree);

}  // namespace
}  // namespace ferkit
