// Training plans: forward, loss and backward of a batch as one call, in memory that is kept for the next one.
#pragma once
#include <functional>

#include "plan.h"

namespace ferkit {

struct TrainingOptions {
  /** How far the moving statistics go towards each batch's. */
  float momentum;
  /** Probability to zero a feature before the last layer, and to drop the last residual branch of an image; earlier ones linearly less. */
  double dropoutRate, dropPathRate;
  /** Whether layers pass on their results in bfloat16, which halves the memory that a step needs for them. */
  bool hasBfloat16Activations;
  /** Index of the first block that is trained: 0 = stem, then the blocks, then top and last layer. Those before run as in inference. */
  int64_t firstTrained;
};

struct TrainingInput {
  /** Pixels of 0–255 [batchSize, height, width, 3]. */
  const float* images;
  int64_t batchSize, height, width;
  /** Probabilities [batchSize, numClasses], and the weight of each example in the mean. */
  const float *targets, *exampleWeights;
  /** Governs dropout and dropped branches. */
  uint32_t seed;
};

struct TrainingOutput {
  float loss;
  /** [batchSize, numClasses] */
  float* logits;
  /** Returns the use of a parameter's gradient, at once. */
  std::function<GradientUse(int64_t parameter)> useOf;
  /** Receives the new value of a moving statistic. */
  std::function<void(int64_t parameter, const float* values)> onStatistic;
};

class TrainingPlan {
 public:
  TrainingPlan(const KernelTables& kernels, const NetworkDescription& network, const TrainingOptions& options);

  const NetworkDescription& network() const { return network_; }
  /** Returns the indices of the trained parameters, in order. */
  std::vector<int64_t> trainedParameters() const;

  /**
   * Computes loss, logits, gradients and new moving statistics of a batch.
   *
   * @param values - All parameters in the order in which the layers use them. A kernel, bias, gamma or beta may change once the
   * use of its gradient was asked for.
   * @throws std::bad_alloc
   */
  void run(const Pool& pool, const TrainingInput& input, const std::vector<const float*>& values, TrainingOutput* output);

 private:
  template <class Element>
  friend class TrainingRun;
  const KernelTables& kernels_;
  const NetworkDescription network_;
  const TrainingOptions options_;
  /** The last batch's shape, of images. */
  Extent shape_{};
  /** What the forward pass keeps for the backward pass; what is soon overwritten, by kind. */
  Arena arena_;
  std::vector<AlignedMemory> temporary_;
};

}  // namespace ferkit
