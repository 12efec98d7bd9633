#include "training.h"

#include <algorithm>
#include <cmath>

#include "random.h"

namespace ferkit {
namespace {

/** A convolution and the batch norm after it, of some input. */
template <class Element>
struct Layer {
  /** Index of its kernel; those of gamma, beta, moving mean and moving variance follow. */
  int64_t parameter;
  Geometry geometry;
  bool isDepthwise;
  FeaturesOf<Element> x;
  /** The raw result, its norm, and the activation after that. */
  Element* values;
  float* norm;
  Activation activation;
  FeaturesOf<Element> result() const { return {values, norm, activation, nullptr}; }
};

/** Results of squeeze-and-excite that its gradient needs. */
struct Excitation {
  int64_t parameter;
  float *means, *reduced, *gate;
};

template <class Element>
struct BlockRun {
  Layer<Element> expand, depthwise, project;
  Excitation excitation;
  /** [batchSize]; null = no branch was dropped. */
  float* mask;
  /** The plain result. */
  Element* y;
  /** Memory in use at the block's end. Later memory is free in the block's backward pass. */
  Arena::Mark end;
};

}  // namespace

/** One run of a training plan, whose layers pass on elements of a type. */
template <class Element>
class TrainingRun {
  typedef FeaturesOf<Element> Features;
  typedef ferkit::Layer<Element> Layer;
  typedef ferkit::BlockRun<Element> BlockRun;

 public:
  TrainingRun(TrainingPlan& plan, const KernelsOf<Element>& kernels, const Pool& pool, const TrainingInput& input,
              const std::vector<const float*>& values, TrainingOutput* output)
      : plan_(plan),
        kernels_(kernels),
        float32_(plan.kernels_.float32),
        network_(plan.network_),
        options_(plan.options_),
        pool_(pool),
        input_(input),
        values_(values),
        output_(output) {}

  void run() {
    const Extent shape{input_.batchSize, input_.height, input_.width, 3};
    const Extent& last = plan_.shape_;
    if (shape.batch != last.batch || shape.height != last.height || shape.width != last.width) plan_.arena_.clear();
    plan_.shape_ = shape;
    plan_.arena_.rewind({});
    plan_.temporary_.resize(kNumTemporary);
    forward(shape);
    for (const auto& [parameter, values] : statistics_) output_->onStatistic(parameter, values);
    const float* dLogits = computeLoss();
    backward(dLogits);
  }

 private:
  int64_t numBlocks() const { return network_.blocks.size(); }
  bool isTrained(int64_t block) const { return block >= options_.firstTrained; }

  // Forward.

  void forward(const Extent& images) {
    Features x = normalized(images);
    x = runConvolution(stem_, 0, kBlockResult + 1, x, images, 3, 2, network_.stemFilters, network_.activation, nullptr);
    Extent extent = stem_.geometry.out;
    blocks_.resize(numBlocks());
    for (int64_t b = 0; b < numBlocks(); ++b) {
      x = runBlock(b, x, extent);
      extent = blocks_[b].project.geometry.out;
    }
    x = runConvolution(top_, numBlocks() + 1, kWideResult, x, extent, 1, 1, network_.topFilters, network_.activation, nullptr);
    classify(x, top_.geometry.out);
  }

  Features normalized(const Extent& images) {
    float* const norm = allocate(kNumNormRows * images.channels);
    for (int64_t c = 0; c < images.channels; ++c) {
      const double scale = 1 / network_.std[c];
      norm[kScale * images.channels + c] = norm[kInverseDeviation * images.channels + c] = (float)scale;
      norm[kShift * images.channels + c] = (float)(-network_.mean[c] * scale);
      norm[kMean * images.channels + c] = (float)network_.mean[c];
    }
    return {reinterpret_cast<const Element*>(input_.images), norm, kLinear, nullptr};
  }

  Features runBlock(int64_t b, const Features& input, const Extent& inExtent) {
    const BlockDescription& shape = network_.blocks[b];
    BlockRun& block = blocks_[b];
    Features x = input;
    if (shape.expandRatio > 1)
      x = runConvolution(block.expand, b + 1, kWideResult, x, inExtent, 1, 1, shape.numExpanded(), network_.activation, nullptr);
    const Extent expanded{inExtent.batch, inExtent.height, inExtent.width, shape.numExpanded()};
    x = runConvolution(block.depthwise, b + 1, kWideResult + 1, x, expanded, shape.kernelSize, shape.stride, 0, network_.activation,
                       nullptr);
    const Extent extent = block.depthwise.geometry.out;
    if (shape.numReduced) x.gate = excite(block.excitation, x, extent, shape.numReduced);
    const Element* const skip = shape.hasResidual ? input.values : nullptr;
    const Features branch = runConvolution(block.project, b + 1, kBlockResult + b % 2, x, extent, 1, 1, shape.numOut, kLinear, skip);
    if (!isTrained(b + 1)) return branch;
    const Extent& out = block.project.geometry.out;
    block.mask = shape.hasResidual ? drawMask(out.batch, options_.dropPathRate * ((double)b / numBlocks())) : nullptr;
    block.y = allocateElements(out.pixels() * out.channels);
    kernels_.residual(pool_, out, branch, block.mask, skip, block.y);
    block.end = plan_.arena_.mark();
    return {block.y, nullptr, kLinear, nullptr};
  }

  /**
   * @param result - Memory of the result if the layer is not trained.
   * @param numOut - 0 for a depthwise convolution.
   * @param residual - Added if the layer is not trained; a trained block adds it itself.
   */
  Features runConvolution(Layer& layer, int64_t block, int64_t result, const Features& x, const Extent& in, int64_t kernelSize,
                          int64_t stride, int64_t numOut, Activation activation, const Element* residual) {
    const Extent out{in.batch, network_.strided(in.height, stride), network_.strided(in.width, stride), numOut ? numOut : in.channels};
    const int64_t parameter = takeParameters(5);
    layer = {parameter, {in, out, kernelSize, stride, network_.padding}, numOut == 0, x, nullptr, nullptr, activation};
    const int64_t length = out.pixels() * out.channels;
    layer.values = isTrained(block) ? allocateElements(length) : reserve<Element>(result, length);
    const float *kernel = values_[parameter], *gamma = values_[parameter + 1], *beta = values_[parameter + 2];
    const float *movingMean = values_[parameter + 3], *movingVariance = values_[parameter + 4];
    if (!isTrained(block)) {
      float* const scale = allocate(2 * out.channels);
      float* const shift = scale + out.channels;
      for (int64_t c = 0; c < out.channels; ++c) {
        scale[c] = gamma[c] / std::sqrt(movingVariance[c] + network_.epsilon);
        shift[c] = beta[c] - movingMean[c] * scale[c];
      }
      const auto run = layer.isDepthwise ? kernels_.depthwiseInference : kernels_.convolutionInference;
      run(pool_, layer.geometry, x, kernel, layer.values, {scale, shift, activation, residual});
      return {layer.values, nullptr, kLinear, nullptr};
    }
    layer.norm = allocate(kNumNormRows * out.channels);
    float* const statistics = allocate(2 * out.channels);
    const BatchNorm norm{gamma, beta, movingMean, movingVariance, options_.momentum, network_.epsilon,
                         layer.norm, statistics, statistics + out.channels};
    const auto run = layer.isDepthwise ? kernels_.depthwise : kernels_.convolution;
    run(pool_, layer.geometry, x, kernel, layer.values, norm);
    statistics_.push_back({parameter + 3, norm.newMean});
    statistics_.push_back({parameter + 4, norm.newVariance});
    return layer.result();
  }

  const float* excite(Excitation& excitation, const Features& x, const Extent& extent, int64_t numReduced) {
    excitation = {takeParameters(4), allocate(extent.batch * extent.channels), allocate(extent.batch * numReduced),
                  allocate(extent.batch * extent.channels)};
    kernels_.excite(pool_, extent, x, exciteWeights(excitation, numReduced), excitation.means, excitation.reduced, excitation.gate);
    return excitation.gate;
  }

  ExciteWeights exciteWeights(const Excitation& excitation, int64_t numReduced) const {
    const float* const* weights = values_.data() + excitation.parameter;
    return {numReduced, weights[0], weights[1], weights[2], weights[3]};
  }

  void classify(const Features& x, const Extent& extent) {
    means_ = allocate(extent.batch * extent.channels);
    kernels_.meanPool(pool_, extent, x, means_);
    dropout_ = isTrained(numBlocks() + 1) ? drawMask(extent.batch * extent.channels, options_.dropoutRate) : nullptr;
    kept_ = dropout_ ? multiply(means_, dropout_, extent.batch * extent.channels) : means_;
    predictions_ = takeParameters(2);
    // A dense layer is a 1×1 convolution of images of one pixel.
    dense_ = {{extent.batch, 1, 1, extent.channels}, {extent.batch, 1, 1, network_.numClasses}, 1, 1, kSame};
    float* const ones = allocate(network_.numClasses);
    std::fill_n(ones, network_.numClasses, 1.f);
    const Finish<float> finish{ones, values_[predictions_ + 1], kLinear, nullptr};
    float32_.convolutionInference(pool_, dense_, {kept_, nullptr, kLinear, nullptr}, values_[predictions_], output_->logits, finish);
  }

  float* multiply(const float* a, const float* b, int64_t count) {
    float* const product = allocate(count);
    for (int64_t i = 0; i < count; ++i) product[i] = a[i] * b[i];
    return product;
  }

  /** Draws 0 with probability `rate`, otherwise 1 / (1 − rate); null if nothing is dropped. */
  float* drawMask(int64_t count, double rate) {
    if (rate == 0) return nullptr;
    float* const mask = allocate(count);
    const float threshold = (float)rate, kept = (float)(1 / (1 - rate));
    drawUniform(input_.seed, numMasks_++, count, mask);
    for (int64_t i = 0; i < count; ++i) mask[i] = mask[i] - threshold > 0 ? kept : 0.f;
    return mask;
  }

  // Loss.

  /** Computes the weighted mean of the cross-entropies, and returns the gradient of the logits. */
  const float* computeLoss() {
    const int64_t numClasses = network_.numClasses;
    float* const dLogits = allocate(input_.batchSize * numClasses);
    double loss = 0;
    for (int64_t n = 0; n < input_.batchSize; ++n) {
      const float *logits = output_->logits + n * numClasses, *targets = input_.targets + n * numClasses;
      float* const gradient = dLogits + n * numClasses;
      const float largest = *std::max_element(logits, logits + numClasses), weight = input_.exampleWeights[n];
      double sum = 0, entropy = 0;
      for (int64_t c = 0; c < numClasses; ++c) sum += gradient[c] = std::exp(logits[c] - largest);
      const double logSum = std::log(sum);
      for (int64_t c = 0; c < numClasses; ++c) {
        entropy += targets[c] * (logSum - (logits[c] - largest));
        gradient[c] = ((float)(gradient[c] / sum) - targets[c]) * weight;
      }
      loss += entropy * weight;
    }
    output_->loss = (float)loss;
    return dLogits;
  }

  // Backward. A gradient of features is that of their norm's output, before the activation.

  void backward(const float* dLogits) {
    const float* const dMeans = dense(dLogits);
    const int64_t top = numBlocks() + 1;
    if (isTrained(top)) {
      const FeaturesGradient dTop = allocateGradient(top_.geometry.out, true);
      kernels_.meanPoolGradient(pool_, top_.geometry.out, dMeans, top_.result(), dTop);
      FeaturesGradient dy = backConvolution(top_, dTop, isTrained(top - 1), numBlocks() % 2, nullptr);
      for (int64_t b = numBlocks() - 1; b >= 0 && isTrained(b + 1); --b) dy = backBlock(b, dy);
      if (isTrained(0)) backConvolution(stem_, dy, false, kOwn, nullptr);
    }
  }

  /** Returns the gradient of the means; null if it is not needed. */
  const float* dense(const float* dLogits) {
    const int64_t numClasses = network_.numClasses, numIn = dense_.in.channels, batchSize = input_.batchSize;
    // A norm that does nothing.
    float* const norm = allocate(kNumNormRows * numClasses);
    float* const zeros = allocate(numClasses);
    float* const dBias = allocate(numClasses);
    std::fill_n(norm, kNumNormRows * numClasses, 0.f);
    std::fill_n(norm + kScale * numClasses, numClasses, 1.f);
    std::fill_n(zeros, numClasses, 0.f);
    std::fill_n(dBias, numClasses, 0.f);
    for (int64_t n = 0; n < batchSize; ++n)
      for (int64_t c = 0; c < numClasses; ++c) dBias[c] += dLogits[n * numClasses + c];
    float* const dx = isTrained(numBlocks() + 1) ? allocate(batchSize * numIn) : nullptr;
    const NormalizedGradient<float> dy{dLogits, output_->logits, norm, zeros, zeros};
    const FeaturesOf<float> x{kept_, nullptr, kLinear, nullptr};
    float32_.convolutionGradient(pool_, dense_, dy, x, values_[predictions_], output_->useOf(predictions_), {dx, nullptr, nullptr});
    kernels_.useGradient(pool_, numClasses, dBias, output_->useOf(predictions_ + 1));
    return dx && dropout_ ? multiply(dx, dropout_, batchSize * numIn) : dx;
  }

  /** @param dy - In the block gradient's memory of parity b + 1; the result is in that of parity b. */
  FeaturesGradient backBlock(int64_t b, const FeaturesGradient& dy) {
    const BlockDescription& shape = network_.blocks[b];
    const BlockRun& block = blocks_[b];
    const bool needsInput = isTrained(b), isExpanded = shape.expandRatio > 1;
    const float* const other = shape.hasResidual ? dy.gradient : nullptr;
    plan_.arena_.rewind(block.end);
    const FeaturesGradient dBranch = allocateGradient(block.project.geometry.out, true);
    kernels_.residualGradient(pool_, block.project.geometry.out, dy.gradient, block.project.result(), block.mask, dBranch);
    FeaturesGradient dx = backConvolution(block.project, dBranch, true, kOwn, nullptr);
    if (shape.numReduced) dx = backExcite(block, shape.numReduced, dx);
    if (!isExpanded) return backConvolution(block.depthwise, dx, needsInput, b % 2, other);
    dx = backConvolution(block.depthwise, dx, true, kOwn, nullptr);
    return backConvolution(block.expand, dx, needsInput, b % 2, other);
  }

  /**
   * Passes a gradient through a convolution.
   *
   * @param parity - That of the block gradient's memory to use; `kOwn` = new memory.
   * @param other - Added to the input gradient, whose other reader it comes from; null = none.
   */
  FeaturesGradient backConvolution(const Layer& layer, const FeaturesGradient& dy, bool needsInput, int64_t parity, const float* other) {
    const Geometry& geometry = layer.geometry;
    FeaturesGradient dx{};
    const bool hasNorm = layer.x.norm && !layer.x.gate;
    if (needsInput) dx = parity == kOwn ? allocateGradient(geometry.in, hasNorm) : blockGradient(parity, geometry.in, hasNorm);
    dx.other = other;
    const NormalizedGradient<Element> gradient{dy.gradient, layer.values, layer.norm, dy.dGamma, dy.dBeta};
    const auto run = layer.isDepthwise ? kernels_.depthwiseGradient : kernels_.convolutionGradient;
    run(pool_, geometry, gradient, layer.x, values_[layer.parameter], output_->useOf(layer.parameter), dx);
    kernels_.useGradient(pool_, geometry.out.channels, dy.dGamma, output_->useOf(layer.parameter + 1));
    kernels_.useGradient(pool_, geometry.out.channels, dy.dBeta, output_->useOf(layer.parameter + 2));
    return dx;
  }

  FeaturesGradient backExcite(const BlockRun& block, int64_t numReduced, const FeaturesGradient& dGated) {
    const Extent& extent = block.depthwise.geometry.out;
    const FeaturesGradient dx = allocateGradient(extent, true);
    const Excitation& excitation = block.excitation;
    ExciteWeightsGradient dWeights;
    for (int i = 0; i < 4; ++i) dWeights.parts[i] = output_->useOf(excitation.parameter + i);
    Features x = block.depthwise.result();
    x.gate = excitation.gate;
    kernels_.exciteGradient(pool_, extent, dGated.gradient, x, exciteWeights(excitation, numReduced), excitation.means,
                            excitation.reduced, dWeights, dx);
    return dx;
  }

  // Memory.

  float* allocate(int64_t count) { return plan_.arena_.take(count); }
  Element* allocateElements(int64_t count) {
    return reinterpret_cast<Element*>(allocate((count * sizeof(Element) + sizeof(float) - 1) / sizeof(float)));
  }

  /** Returns memory for the gradient of features, until the block's end. */
  FeaturesGradient allocateGradient(const Extent& extent, bool hasNorm) {
    float* const gradient = allocate(extent.pixels() * extent.channels);
    float* const sums = hasNorm ? allocate(2 * extent.channels) : nullptr;
    return {gradient, sums, sums ? sums + extent.channels : nullptr};
  }

  /**
   * Memory that is soon overwritten: gradients of a block's input, until the next but one is computed, and results of layers that are
   * not trained.
   */
  enum Temporary {
    kBlockGradient,
    kBlockSums = kBlockGradient + 2,
    kBlockResult = kBlockSums + 2,
    kWideResult = kBlockResult + 2,
    kNumTemporary = kWideResult + 2
  };
  static constexpr int64_t kOwn = -1;

  template <class T>
  T* reserve(int64_t kind, int64_t count) {
    return reinterpret_cast<T*>(plan_.temporary_[kind].reserve(count * sizeof(T)));
  }

  /** Returns memory for the gradient of a block's input, which outlives the block. */
  FeaturesGradient blockGradient(int64_t parity, const Extent& extent, bool hasNorm) {
    float* const gradient = reserve<float>(kBlockGradient + parity, extent.pixels() * extent.channels);
    float* const sums = hasNorm ? reserve<float>(kBlockSums + parity, 2 * extent.channels) : nullptr;
    return {gradient, sums, sums ? sums + extent.channels : nullptr};
  }

  int64_t takeParameters(int64_t count) { return (nextParameter_ += count) - count; }

  TrainingPlan& plan_;
  const KernelsOf<Element>& kernels_;
  /** For the last layer. */
  const Kernels& float32_;
  const NetworkDescription& network_;
  const TrainingOptions& options_;
  const Pool& pool_;
  const TrainingInput& input_;
  const std::vector<const float*>& values_;
  TrainingOutput* const output_;
  int64_t nextParameter_ = 0, numMasks_ = 0;
  Layer stem_, top_;
  std::vector<BlockRun> blocks_;
  float *means_, *kept_, *dropout_;
  int64_t predictions_;
  Geometry dense_;
  std::vector<std::pair<int64_t, const float*>> statistics_;
};

TrainingPlan::TrainingPlan(const KernelTables& kernels, const NetworkDescription& network, const TrainingOptions& options)
    : kernels_(kernels), network_(network), options_(options) {}

std::vector<int64_t> TrainingPlan::trainedParameters() const {
  std::vector<int64_t> trained;
  int64_t next = 0, index = 0;
  const auto add = [&](int64_t block, int64_t numTrained, int64_t count) {
    for (int64_t i = 0; i < numTrained && block >= options_.firstTrained; ++i) trained.push_back(next + i);
    next += count;
  };
  // Kernel, gamma and beta of each convolution, whose moving statistics follow.
  add(index++, 3, 5);
  for (const BlockDescription& block : network_.blocks) {
    if (block.expandRatio > 1) add(index, 3, 5);
    add(index, 3, 5);
    if (block.numReduced) add(index, 4, 4);
    add(index++, 3, 5);
  }
  add(index++, 3, 5);
  add(index, 2, 2);
  return trained;
}

void TrainingPlan::run(const Pool& pool, const TrainingInput& input, const std::vector<const float*>& values, TrainingOutput* output) {
  if (options_.hasBfloat16Activations)
    TrainingRun<Bfloat16>(*this, kernels_.bfloat16, pool, input, values, output).run();
  else
    TrainingRun<float>(*this, kernels_.float32, pool, input, values, output).run();
}

}  // namespace ferkit
