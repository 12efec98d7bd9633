// Sums of two numbers over all pixels, by channel, for batch norm and its gradient.
#pragma once
#include "rows.h"

namespace ferkit {
namespace {

/** Holds the sums in double precision, since there are millions of pixels; each part of the work has its own copy. */
class ChannelSums {
 public:
  /** Uses memory of the calling thread and sets it to zero. */
  ChannelSums(int numParts, int64_t channels)
      : numParts_(numParts),
        width_(roundUp(channels, 16)),
        sums_(reinterpret_cast<double*>(scratch(kSumsSlot, numParts * width_ * 4))) {
    for (int64_t i = 0; i < numParts_ * width_ * 2; ++i) sums_[i] = 0;
  }

  /** Adds to the sums of the channels from c. */
  FERKIT_INLINE void add(int part, int64_t c, vec first, vec second) const {
    double* sums = sums_ + part * width_ * 2 + c;
    addTo(sums, first);
    addTo(sums + width_, second);
  }

  /** Returns the first sums of all channels. The second ones follow, from `width()` on. */
  const double* total() const {
    for (int part = 1; part < numParts_; ++part)
      for (int64_t i = 0; i < width_ * 2; ++i) sums_[i] += sums_[part * width_ * 2 + i];
    return sums_;
  }
  int64_t width() const { return width_; }

 private:
  typedef double doubles __attribute__((vector_size(kLanes * 8)));
  typedef doubles unalignedDoubles __attribute__((aligned(8), may_alias));
  static FERKIT_INLINE void addTo(double* sums, vec values) {
    *reinterpret_cast<unalignedDoubles*>(sums) += __builtin_convertvector(values, doubles);
  }

  int numParts_;
  int64_t width_;
  double* sums_;
};

/**
 * Computes batch norm from the sums of y − movingMean and of its square; the moving variance is unbiased, as in PyTorch.
 *
 * @see Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
inline void finishBatchNorm(const ChannelSums& sums, const Extent& extent, const BatchNorm& norm) {
  const int64_t channels = extent.channels;
  const double numPixels = (double)extent.pixels(), share = 1 / numPixels, unbiasedShare = numPixels / (numPixels > 1 ? numPixels - 1 : 1);
  const double *offsets = sums.total(), *squares = offsets + sums.width();
#pragma GCC ivdep  // the arrays do not overlap, so several channels can be computed at once
  for (int64_t c = 0; c < channels; ++c) {
    const double offset = offsets[c] * share, mean = norm.movingMean[c] + offset;
    const double spread = squares[c] * share - offset * offset;
    const double variance = spread < 0 ? 0 : spread;
    const double inverseDeviation = 1 / __builtin_sqrt(variance + norm.epsilon);
    const double scale = norm.gamma[c] * inverseDeviation;
    norm.norm[kScale * channels + c] = (float)scale;
    norm.norm[kShift * channels + c] = (float)(norm.beta[c] - mean * scale);
    norm.norm[kMean * channels + c] = (float)mean;
    norm.norm[kInverseDeviation * channels + c] = (float)inverseDeviation;
    norm.newMean[c] = norm.movingMean[c] + norm.momentum * (float)offset;
    norm.newVariance[c] = norm.movingVariance[c] + norm.momentum * (float)(variance * unbiasedShare - norm.movingVariance[c]);
  }
}

/** Reads dGamma and dBeta from the sums of gradient·x̂ and of gradient. */
inline void finishGradient(const ChannelSums& sums, int64_t channels, const FeaturesGradient& dx) {
  const double* const totals = sums.total();
  for (int64_t c = 0; c < channels; ++c) {
    dx.dGamma[c] = (float)totals[c];
    dx.dBeta[c] = (float)totals[sums.width() + c];
  }
}

/** The part of a norm that the gradient of features needs, for V vectors of channels. */
template <int V, Activation kActivation>
struct NormalizedColumns {
  vec scale[V], shift[V], mean[V], inverseDeviation[V], dGamma[V] = {}, dBeta[V] = {};

  NormalizedColumns() = default;
  FERKIT_INLINE NormalizedColumns(const float* norm, int64_t channels, int64_t c) {
    for (int v = 0; v < V; ++v) {
      const int64_t column = c + v * kLanes, count = max(0, channels - column);
      scale[v] = load(norm + kScale * channels + column, count);
      shift[v] = load(norm + kShift * channels + column, count);
      mean[v] = load(norm + kMean * channels + column, count);
      inverseDeviation[v] = load(norm + kInverseDeviation * channels + column, count);
    }
  }

  /** Turns the gradient of the activated features into that of the normalised ones, and adds to the sums. */
  FERKIT_INLINE vec gradient(int v, vec raw, vec dy) {
    vec derivative;
    activate<kActivation>(raw * scale[v] + shift[v], derivative);
    return add(v, raw, dy * derivative);
  }

  FERKIT_INLINE vec add(int v, vec raw, vec g) {
    dGamma[v] += g * ((raw - mean[v]) * inverseDeviation[v]);
    dBeta[v] += g;
    return g;
  }

  FERKIT_INLINE void flush(const ChannelSums& sums, int part, int64_t channels, int64_t c) {
    for (int v = 0; v < V; ++v) {
      if (c + v * kLanes < channels) sums.add(part, c + v * kLanes, dGamma[v], dBeta[v]);
      dGamma[v] = dBeta[v] = vec{};
    }
  }
};

}  // namespace
}  // namespace ferkit
