// Squeeze-and-excite in one pass over each image: means, two dense layers and the gate (Hu et al. 2018,
// https://arxiv.org/abs/1709.01507).
#pragma once
#include "optimizer.h"
#include "sums.h"

namespace ferkit {
namespace {

FERKIT_INLINE float total(vec x) {
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += x[i];
  return sum;
}

/** Returns Σ aᵢ·bᵢ. */
FERKIT_INLINE float dot(const float* a, const float* b, int64_t length) {
  vec sum{};
  for (int64_t i = 0; i < length; i += kLanes) sum += load(a + i, length - i) * load(b + i, length - i);
  return total(sum);
}

/** Adds factor·values to target. */
FERKIT_INLINE void addScaled(float* target, float factor, const float* values, int64_t length) {
  for (int64_t i = 0; i < length; i += kLanes) {
    const int64_t count = length - i;
    store(target + i, load(target + i, count) + splat(factor) * load(values + i, count), count);
  }
}

/** One image's features after norm and activation, for a vector of channels. */
template <Activation kActivation, class Element>
struct ImageColumn {
  const Element* values;
  int64_t channels, count;
  vec scale, shift;

  FERKIT_INLINE ImageColumn(const FeaturesOf<Element>& x, const Extent& extent, int64_t image, int64_t c)
      : values(x.values + image * extent.area() * extent.channels + c),
        channels(extent.channels),
        count(extent.channels - c),
        scale(x.norm ? load(x.norm + kScale * extent.channels + c, count) : splat(1.f)),
        shift(x.norm ? load(x.norm + kShift * extent.channels + c, count) : vec{}) {}
  FERKIT_INLINE vec at(int64_t pixel) const { return activate<kActivation>(load(values + pixel * channels, count) * scale + shift); }
};

FERKIT_INLINE int exciteParts(const Pool& pool, const Extent& extent, int64_t numReduced) {
  const int64_t work = extent.batch * extent.channels * (extent.area() + 4 * numReduced);
  return (int)min(min(pool.numThreads, extent.batch), work / 20000 + 1);
}

template <class Element>
void excite(const Pool& pool, const Extent& extent, const FeaturesOf<Element>& x, const ExciteWeights& weights, float* means,
            float* reduced, float* gate) {
  const int64_t channels = extent.channels, area = extent.area(), numReduced = weights.numReduced;
  const int parts = exciteParts(pool, extent, numReduced);
  withActivation(x.activation, [&](auto activation) {
    parallel(pool, parts, [&](int part) {
      const Range images(extent.batch, parts, part);
      float* activated = scratch(kInputSlot, numReduced);
      for (int64_t n = images.begin; n < images.end; ++n) {
        float *mean = means + n * channels, *hidden = reduced + n * numReduced, *result = gate + n * channels;
        for (int64_t c = 0; c < channels; c += kLanes) {
          const ImageColumn<activation.value, Element> column(x, extent, n, c);
          vec sum{};
          for (int64_t pixel = 0; pixel < area; ++pixel) sum += column.at(pixel);
          store(mean + c, sum / splat((float)area), column.count);
        }
        for (int64_t r = 0; r < numReduced; ++r) hidden[r] = weights.reduceBias[r];
        for (int64_t c = 0; c < channels; ++c) addScaled(hidden, mean[c], weights.reduceKernel + c * numReduced, numReduced);
        for (int64_t r = 0; r < numReduced; r += kLanes)
          store(activated + r, activate<kSwish>(load(hidden + r, numReduced - r)), numReduced - r);
        for (int64_t c = 0; c < channels; c += kLanes) {
          const int64_t count = channels - c;
          vec sum = load(weights.expandBias + c, count);
          for (int64_t r = 0; r < numReduced; ++r)
            sum += splat(activated[r]) * load(weights.expandKernel + r * channels + c, count);
          store(result + c, sigmoid(sum), count);
        }
      }
    });
  });
}

/** Adds one image's weight gradients to `own`, which holds the four in order; sets dMeans [channels]. */
FERKIT_INLINE void exciteWeightsGradient(const ExciteWeights& weights, int64_t channels, const float* mean, const float* hidden,
                                         const float* dExpanded, float* own, float* dMeans) {
  const int64_t numReduced = weights.numReduced;
  float* activated = scratch(kInputSlot, 2 * roundUp(numReduced, kLanes));
  float* dHidden = activated + roundUp(numReduced, kLanes);
  float *dReduceKernel = own, *dReduceBias = dReduceKernel + channels * numReduced;
  float *dExpandKernel = dReduceBias + numReduced, *dExpandBias = dExpandKernel + numReduced * channels;
  addScaled(dExpandBias, 1.f, dExpanded, channels);
  for (int64_t r = 0; r < numReduced; r += kLanes) {
    vec derivative;
    store(activated + r, activate<kSwish>(load(hidden + r, numReduced - r), derivative), numReduced - r);
    store(dHidden + r, derivative, numReduced - r);
  }
  for (int64_t r = 0; r < numReduced; ++r) {
    dHidden[r] *= dot(dExpanded, weights.expandKernel + r * channels, channels);
    addScaled(dExpandKernel + r * channels, activated[r], dExpanded, channels);
  }
  addScaled(dReduceBias, 1.f, dHidden, numReduced);
  for (int64_t c = 0; c < channels; ++c) {
    dMeans[c] = dot(dHidden, weights.reduceKernel + c * numReduced, numReduced);
    addScaled(dReduceKernel + c * numReduced, mean[c], dHidden, numReduced);
  }
}

template <class Element>
void exciteGradient(const Pool& pool, const Extent& extent, const float* dGated, const FeaturesOf<Element>& x,
                    const ExciteWeights& weights, const float* means, const float* reduced, const ExciteWeightsGradient& dWeights, const FeaturesGradient& dx) {
  const int64_t channels = extent.channels, area = extent.area();
  const int64_t numWeights = 2 * channels * weights.numReduced + channels + weights.numReduced;
  const int parts = exciteParts(pool, extent, weights.numReduced);
  const ChannelSums sums(parts, channels);
  float* own = scratch(kPartsSlot, parts * numWeights);
  withActivation(x.activation, [&](auto activation) {
    parallel(pool, parts, [&](int part) {
      const Range images(extent.batch, parts, part);
      float* ownWeights = own + part * numWeights;
      for (int64_t i = 0; i < numWeights; ++i) ownWeights[i] = 0;
      float* dExpanded = scratch(kGradientSlot, 2 * channels);
      float* dMeans = dExpanded + channels;
      for (int64_t n = images.begin; n < images.end; ++n) {
        const float *gate = x.gate + n * channels, *dImage = dGated + n * area * channels;
        for (int64_t c = 0; c < channels; c += kLanes) {
          const ImageColumn<activation.value, Element> column(x, extent, n, c);
          vec dGate{};
          for (int64_t pixel = 0; pixel < area; ++pixel)
            dGate += load(dImage + pixel * channels + c, column.count) * column.at(pixel);
          const vec g = load(gate + c, column.count);
          store(dExpanded + c, dGate * g * (1.f - g), column.count);
        }
        exciteWeightsGradient(weights, channels, means + n * channels, reduced + n * weights.numReduced, dExpanded, ownWeights,
                              dMeans);
        for (int64_t c = 0; c < channels; c += kLanes) {
          const int64_t count = channels - c;
          const vec share = load(dMeans + c, count) / splat((float)area), g = load(gate + c, count);
          NormalizedColumns<1, activation.value> norm(x.norm, channels, c);
          for (int64_t pixel = n * area; pixel < (n + 1) * area; ++pixel) {
            const int64_t index = pixel * channels + c;
            const vec dActivated = share + load(dGated + index, count) * g;
            store(dx.gradient + index, norm.gradient(0, load(x.values + index, count), dActivated), count);
          }
          norm.flush(sums, part, channels, c);
        }
      }
    });
  });
  const int64_t kernelLength = channels * weights.numReduced;
  const int64_t lengths[] = {kernelLength, weights.numReduced, kernelLength, channels};
  const float* from = own;
  for (int i = 0; i < 4; from += lengths[i++]) useParts(pool, from, numWeights, parts, lengths[i], dWeights.parts[i]);
  finishGradient(sums, channels, dx);
}

}  // namespace
}  // namespace ferkit
