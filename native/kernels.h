// What the ops ask of the kernels. The kernels are compiled once for each instruction set (kernels.cc); the ops take the best
// one that the processor has. Tensors are float32, NHWC, dense; convolutions pad as TensorFlow's SAME.
#pragma once
#include <cstdint>

namespace ferkit {

enum Activation { kLinear = 0, kRelu6 = 1, kSwish = 2 };

/** Threads to share work among. */
struct Pool {
  int numThreads;
  void* context;
  /** Calls `task(argument, i)` for each i in [0, count), at once where threads are free, and returns when all have. */
  void (*run)(void* context, int count, void (*task)(void* argument, int i), void* argument);
};

struct Extent {
  int64_t batch, height, width, channels;
  int64_t pixels() const { return batch * height * width; }
  int64_t area() const { return height * width; }
};

/** Rows of what batch norm makes of a channel: y = scale·x + shift, where x̂ = (x − mean)·inverseDeviation. */
enum NormRow { kScale, kShift, kMean, kInverseDeviation, kNumNormRows };

/**
 * An activation as it lies between two layers: a convolution's raw result, and the batch norm, activation and gate that whoever
 * reads it applies on the way. The normalised tensor is never written to memory.
 */
struct Features {
  const float* values;
  /** [kNumNormRows, channels]; null = the values as they are. */
  const float* norm;
  Activation activation;
  /** [batch, channels], multiplied last; null = none. */
  const float* gate;
};

/** Batch norm of a convolution's output by the batch's own statistics. */
struct BatchNorm {
  const float *gamma, *beta, *movingMean, *movingVariance;
  float momentum, epsilon;
  /** Results: [kNumNormRows, channels], [channels], [channels]. */
  float *norm, *newMean, *newVariance;
};

/** The gradient by a convolution's output, held as that by its normalised output; its users derive the former. */
struct NormalizedGradient {
  const float* gradient;
  /** The convolution's raw result and its norm. */
  const float *values, *norm;
  /** [channels]: sums of gradient·x̂ and of gradient. */
  const float *dGamma, *dBeta;
};

/** The gradient by features, before their activation; with the sums that batch norm's gradient is made of. */
struct FeaturesGradient {
  float* gradient;
  float *dGamma, *dBeta;
};

/** Most numbers in a row of the patch that a convolution other than 1×1 and depthwise reads. */
constexpr int64_t kMaxPatchWidth = 128;

struct Geometry {
  Extent in, out;
  int64_t kernelSize, stride;
};

/** What inference does to a convolution's sums: y = activation(scale·sum + shift), plus the residual, [out], null = none. */
struct Finish {
  /** [channels]: batch norm by the moving statistics. */
  const float *scale, *shift;
  Activation activation;
  const float* residual;
};

/** Squeeze-and-excite's two dense layers: [channels, numReduced] and [numReduced, channels], with a bias each. */
struct ExciteWeights {
  int64_t numReduced;
  const float *reduceKernel, *reduceBias, *expandKernel, *expandBias;
};

/** Gradients by the four, in their order. */
struct ExciteWeightsGradient {
  float* parts[4];
};

struct Augmentation {
  Extent in, out;
  /** [batch, 6]: place of a result's pixel in the resized image, (a·x + b·y + c, d·x + e·y + f); black beyond its border. */
  const float* transforms;
  /** [batch, 2]: factor of the distance from the image's mean, and what is added; then cut to [0, 255]. Null = none. */
  const float* light;
  /** [batch, 4]: left, top, right, bottom in pixels of the result, filled with its mean; empty where right ≤ left. Null = none. */
  const float* erased;
};

struct Kernels {
  void (*convolution)(const Pool&, const Geometry&, const Features& x, const float* kernel, float* y, const BatchNorm&);
  /** `dx.gradient` null = not wanted. Where x has a gate, dx is the gradient by the gated features, without sums. */
  void (*convolutionGradient)(const Pool&, const Geometry&, const NormalizedGradient& dy, const Features& x,
                              const float* kernel, float* dKernel, const FeaturesGradient& dx);
  void (*convolutionInference)(const Pool&, const Geometry&, const Features& x, const float* kernel, float* y, const Finish&);
  void (*depthwise)(const Pool&, const Geometry&, const Features& x, const float* kernel, float* y, const BatchNorm&);
  void (*depthwiseGradient)(const Pool&, const Geometry&, const NormalizedGradient& dy, const Features& x,
                            const float* kernel, float* dKernel, const FeaturesGradient& dx);
  void (*depthwiseInference)(const Pool&, const Geometry&, const Features& x, const float* kernel, float* y, const Finish&);
  /** y = branch·mask + skip; `mask` [batch] or null, `skip` or null. */
  void (*residual)(const Pool&, const Extent&, const Features& branch, const float* mask, const float* skip, float* y);
  /** The gradient by the branch: dy·mask, and its sums. */
  void (*residualGradient)(const Pool&, const Extent&, const float* dy, const Features& branch, const float* mask,
                           const FeaturesGradient& dBranch);
  /** Means over height and width, [batch, channels]. */
  void (*meanPool)(const Pool&, const Extent&, const Features& x, float* means);
  /** Gradient by x of its means. */
  void (*meanPoolGradient)(const Pool&, const Extent&, const float* dMeans, const Features& x, const FeaturesGradient& dx);
  /** Means over height and width, what the first layer makes of them before its activation, and the gate. */
  void (*excite)(const Pool&, const Extent&, const Features& x, const ExciteWeights&, float* means, float* reduced, float* gate);
  /** From the gradient by x·gate (x.gate) to those by x and by the weights. */
  void (*exciteGradient)(const Pool&, const Extent&, const float* dGated, const Features& x, const ExciteWeights&,
                         const float* means, const float* reduced, const ExciteWeightsGradient&, const FeaturesGradient& dx);
  void (*augment)(const Pool&, const Augmentation&, const float* images, float* result);
  /** In place: decoupled weight decay, then Adam's step. */
  void (*adam)(int64_t length, float* value, float* first, float* second, const float* gradient, float stepSize,
               float decay, float beta1, float beta2, float epsilon);
  /** average += rate·(value − average) */
  void (*average)(int64_t length, float* average, const float* value, float rate);
};

extern const Kernels kernelsAvx2, kernelsAvx512;

}  // namespace ferkit
