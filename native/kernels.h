// The interface between ops and kernels. Kernels are compiled once for each instruction set (kernels.cc); ops use the best one that
// the processor has. Tensors are NHWC, dense, and float32; convolutions pad with zeros, as `Padding` says. Only what a layer passes to the
// next may be in bfloat16 instead (`Element`): kernels round it to the nearest, ties to even, and compute in float32 in any case.
#pragma once
#include <cstdint>

namespace ferkit {

enum Activation { kLinear = 0, kRelu6 = 1, kSwish = 2 };

/** The upper half of a float32. */
struct Bfloat16 {
  uint16_t bits;
};

/** Threads that share work. */
struct Pool {
  int numThreads;
  void* context;
  /** Calls `task(argument, i)` for each i in [0, count), side by side on free threads, and returns when all are done. */
  void (*run)(void* context, int count, void (*task)(void* argument, int i), void* argument);
};

struct Extent {
  int64_t batch, height, width, channels;
  int64_t pixels() const { return batch * height * width; }
  int64_t area() const { return height * width; }
};

/** Rows of a norm: a channel becomes y = scale·x + shift; its normalised value is x̂ = (x − mean)·inverseDeviation. */
enum NormRow { kScale, kShift, kMean, kInverseDeviation, kNumNormRows };

/**
 * What one layer passes to the next: a convolution's raw result, and the batch norm, activation and gate that the reader applies.
 * The normalised tensor is never written to memory.
 */
template <class Element>
struct FeaturesOf {
  /** Those of the first convolution point at images, which are float32 in any case. */
  const Element* values;
  /** [kNumNormRows, channels]; null = plain values. */
  const float* norm;
  Activation activation;
  /** [batch, channels], a factor applied last; null = none. */
  const float* gate;
};
typedef FeaturesOf<float> Features;

/** Batch norm of a convolution's output by the batch's statistics. */
struct BatchNorm {
  const float *gamma, *beta, *movingMean, *movingVariance;
  float momentum, epsilon;
  /** Results: [kNumNormRows, channels], [channels], [channels]. */
  float *norm, *newMean, *newVariance;
};

/** The gradient of a convolution's normalised output; readers derive from it the gradient of the raw output. */
template <class Element>
struct NormalizedGradient {
  const float* gradient;
  /** The convolution's raw result and norm. */
  const Element* values;
  const float* norm;
  /** [channels]: the sums of gradient·x̂ and of gradient. */
  const float *dGamma, *dBeta;
};

/** The gradient of features before their activation, with the sums that batch norm's gradient needs. */
struct FeaturesGradient {
  float* gradient;
  float *dGamma, *dBeta;
  /** Added to the gradient of plain features: what comes from their other reader; null = none. */
  const float* other = nullptr;
};

/** Largest row of a patch, in numbers, of a convolution that is neither 1×1 nor depthwise. */
constexpr int64_t kMaxPatchWidth = 128;

/**
 * Zeros around an image, which families of networks choose differently at stride 2: TensorFlow's SAME, PyTorch's symmetric padding, or
 * Keras' for an unknown size, which is SAME as if every size were even.
 */
enum Padding { kSame, kSymmetric, kEven };

struct Geometry {
  Extent in, out;
  int64_t kernelSize, stride;
  Padding padding;
};

/** What inference does to a convolution's sums: y = activation(scale·sum + shift) + residual; residual null = none. */
template <class Element>
struct Finish {
  /** [channels]: batch norm by the moving statistics. */
  const float *scale, *shift;
  Activation activation;
  const Element* residual;
};

/** Squeeze-and-excite's two dense layers: kernels [channels, numReduced] and [numReduced, channels], each with a bias. */
struct ExciteWeights {
  int64_t numReduced;
  const float *reduceKernel, *reduceBias, *expandKernel, *expandBias;
};

/** What becomes of a parameter's gradient: it is stored, or Adam moves the parameter, and its average follows. */
struct GradientUse {
  /** Where it is stored; null = the parameter moves. */
  float* gradient;
  float *value, *first, *second;
  /** Null = there is no average. */
  float* ema;
  float stepSize, decay, beta1, beta2, epsilon, emaRate;
};

/** Uses of the gradients of the four weights, in their order. */
struct ExciteWeightsGradient {
  GradientUse parts[4];
};

/** What is outside an image: one colour, its edge pixels, or its mirror image. */
enum class Border { kColour, kEdge, kReflect };

struct Augmentation {
  Extent in, out;
  Border border;
  /** [channels], for Border::kColour. */
  const float* colour;
  /** [batch, 6]: a result's pixel (x, y) comes from (a·x + b·y + c, d·x + e·y + f) of the resized image. */
  const float* transforms;
  /** [batch, 2]: factor of the distance from the image's mean, and an offset; then limited to [0, 255]. Null = none. */
  const float* light;
  /** [batch, 4]: left, top, right, bottom of a rectangle, in pixels, filled with the image's mean; none if right ≤ left. Null = none. */
  const float* erased;
};

template <class Element>
struct KernelsOf {
  typedef FeaturesOf<Element> Features;

  void (*convolution)(const Pool&, const Geometry&, const Features& x, const float* kernel, Element* y, const BatchNorm&);
  /**
   * `dx.gradient` null = not wanted. If x has a gate, dx is the gradient of the gated features, without sums. The use of dKernel may
   * move the kernel.
   */
  void (*convolutionGradient)(const Pool&, const Geometry&, const NormalizedGradient<Element>& dy, const Features& x,
                              const float* kernel, const GradientUse& dKernel, const FeaturesGradient& dx);
  void (*convolutionInference)(const Pool&, const Geometry&, const Features& x, const float* kernel, Element* y, const Finish<Element>&);
  void (*depthwise)(const Pool&, const Geometry&, const Features& x, const float* kernel, Element* y, const BatchNorm&);
  void (*depthwiseGradient)(const Pool&, const Geometry&, const NormalizedGradient<Element>& dy, const Features& x,
                            const float* kernel, const GradientUse& dKernel, const FeaturesGradient& dx);
  void (*depthwiseInference)(const Pool&, const Geometry&, const Features& x, const float* kernel, Element* y, const Finish<Element>&);
  /** Computes y = branch·mask + skip; `mask` [batch] and `skip` may be null. */
  void (*residual)(const Pool&, const Extent&, const Features& branch, const float* mask, const Element* skip, Element* y);
  /** Computes the gradient of the branch, dy·mask, and its sums. */
  void (*residualGradient)(const Pool&, const Extent&, const float* dy, const Features& branch, const float* mask,
                           const FeaturesGradient& dBranch);
  /** Computes means over height and width, [batch, channels]. */
  void (*meanPool)(const Pool&, const Extent&, const Features& x, float* means);
  /** Computes the gradient of x from the gradient of its means. */
  void (*meanPoolGradient)(const Pool&, const Extent&, const float* dMeans, const Features& x, const FeaturesGradient& dx);
  /** Computes means over height and width, the first layer's result before its activation, and the gate. */
  void (*excite)(const Pool&, const Extent&, const Features& x, const ExciteWeights&, float* means, float* reduced, float* gate);
  /** Computes the gradients of x and of the weights from the gradient of x·x.gate. */
  void (*exciteGradient)(const Pool&, const Extent&, const float* dGated, const Features& x, const ExciteWeights&,
                         const float* means, const float* reduced, const ExciteWeightsGradient&, const FeaturesGradient& dx);
  void (*augment)(const Pool&, const Augmentation&, const float* images, float* result);
  void (*useGradient)(const Pool&, int64_t length, const float* gradient, const GradientUse&);
  /** Applies decoupled weight decay, then Adam's step, in place. */
  void (*adam)(int64_t length, float* value, float* first, float* second, const float* gradient, float stepSize,
               float decay, float beta1, float beta2, float epsilon);
  /** Updates an exponential moving average: ema += rate·(value − ema). */
  void (*ema)(int64_t length, float* ema, const float* value, float rate);
};

typedef KernelsOf<float> Kernels;

/** The kernels of one instruction set, by the type of what layers pass on. */
struct KernelTables {
  KernelsOf<float> float32;
  KernelsOf<Bfloat16> bfloat16;
};

/** Those of each instruction set; only those of the machine's architecture are compiled. */
extern const KernelTables kernelsAvx2, kernelsAvx512, kernelsNeon;

}  // namespace ferkit
