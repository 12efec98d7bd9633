// Reads and packs matrices whose rows are pixels and whose columns are channels. Each source has its own rule for reading; packed
// rows are [numRows][rowStride(numColumns)], padded with zeros to whole vectors.
#pragma once
#include "elements.h"

namespace ferkit {
namespace {

/** Returns the length of a packed row: an odd number of cache lines, so that a column spreads over all sets of the cache. */
FERKIT_INLINE int64_t rowStride(int64_t numColumns) { return (ceilDivide(numColumns, 16) | 1) * 16; }

/** Packs rows of a source whose `at(row, column, count)` returns a vector. */
template <class Source>
void packRows(const Source& source, int64_t row, int64_t numRows, int64_t numColumns, float* packed) {
  const int64_t stride = rowStride(numColumns);
  for (int64_t r = 0; r < numRows; ++r)
    for (int64_t c = 0; c < numColumns; c += kLanes)
      *reinterpret_cast<vec*>(packed + r * stride + c) = source.at(row + r, c, numColumns - c);
}

/** Plain values. */
template <class Element>
struct PlainRows {
  const Element* values;
  int64_t channels;
  FERKIT_INLINE vec at(int64_t row, int64_t c, int64_t count) const { return load(values + row * channels + c, count); }
  void pack(int64_t row, int64_t numRows, float* packed) const { packRows(*this, row, numRows, channels, packed); }
};

/** Features, normalised, activated and gated. */
template <Activation kActivation, bool kGated, class Element>
struct FeatureRows {
  FeaturesOf<Element> x;
  int64_t channels, area;
  FERKIT_INLINE vec at(int64_t row, int64_t c, int64_t count) const {
    const vec raw = load(x.values + row * channels + c, count);
    const vec z = raw * load(x.norm + kScale * channels + c, count) + load(x.norm + kShift * channels + c, count);
    const vec y = activate<kActivation>(z);
    return kGated ? y * load(x.gate + row / area * channels + c, count) : y;
  }
  void pack(int64_t row, int64_t numRows, float* packed) const { packRows(*this, row, numRows, channels, packed); }
};

/** Plain values, times a gate for each image's channel. */
template <class Element>
struct GatedRows {
  FeaturesOf<Element> x;
  int64_t channels, area;
  FERKIT_INLINE vec at(int64_t row, int64_t c, int64_t count) const {
    return load(x.values + row * channels + c, count) * load(x.gate + row / area * channels + c, count);
  }
  void pack(int64_t row, int64_t numRows, float* packed) const { packRows(*this, row, numRows, channels, packed); }
};

/** The gradient of a convolution's raw output: a·gradient + b·values + c, by channel. */
template <class Element>
struct OutputGradientRows {
  const float* gradient;
  const Element* values;
  const float* coefficients;
  int64_t channels;
  FERKIT_INLINE vec at(int64_t row, int64_t c, int64_t count) const {
    const int64_t index = row * channels + c;
    return load(coefficients + c, count) * load(gradient + index, count) +
           (load(coefficients + channels + c, count) * load(values + index, count) +
            load(coefficients + 2 * channels + c, count));
  }
  void pack(int64_t row, int64_t numRows, float* packed) const { packRows(*this, row, numRows, channels, packed); }
};

/**
 * Computes the coefficients [3, channels] of OutputGradientRows from batch norm's gradient: scale·(g − mean(g) − x̂·mean(g·x̂)).
 *
 * @see Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
template <class Element>
void gradientCoefficients(const NormalizedGradient<Element>& dy, const Extent& extent, float* coefficients) {
  const int64_t channels = extent.channels;
  const double share = 1 / (double)extent.pixels();
#pragma GCC ivdep  // the arrays do not overlap, so several channels can be computed at once
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = dy.norm[kScale * channels + c], mean = dy.norm[kMean * channels + c];
    const double slope = dy.norm[kInverseDeviation * channels + c] * dy.dGamma[c] * share;
    coefficients[c] = (float)scale;
    coefficients[channels + c] = (float)(-scale * slope);
    coefficients[2 * channels + c] = (float)(scale * (mean * slope - dy.dBeta[c] * share));
  }
}

/** Returns the rows (columns) of zeros above (left of) an image. */
FERKIT_INLINE int64_t paddingBefore(int64_t in, int64_t out, const Geometry& geometry) {
  const int64_t k = geometry.kernelSize, s = geometry.stride;
  if (geometry.padding == kSymmetric) return (k - 1) / 2;
  if (geometry.padding == kEven) return (k - s) / 2;
  return max(0, (out - 1) * s + k - in) / 2;
}

/** For each output pixel, the patch [kernelSize, kernelSize, channels] that a convolution reads, as one row; zeros outside the image. */
struct PatchRows {
  const float* images;
  /** Scale and shift of the pixels; null = plain pixels. */
  const float* norm;
  Geometry geometry;
  void pack(int64_t row, int64_t numRows, float* packed) const {
    const auto& [in, out, kernelSize, stride, padding] = geometry;
    const int64_t top = paddingBefore(in.height, out.height, geometry);
    const int64_t left = paddingBefore(in.width, out.width, geometry);
    const int64_t length = kernelSize * in.channels, packedStride = rowStride(kernelSize * length);
    float scale[kMaxPatchWidth], shift[kMaxPatchWidth];
    for (int64_t i = 0; i < length; ++i) {
      scale[i] = norm ? norm[kScale * in.channels + i % in.channels] : 1.f;
      shift[i] = norm ? norm[kShift * in.channels + i % in.channels] : 0.f;
    }
    for (int64_t r = 0; r < numRows; ++r) {
      const int64_t pixel = row + r, n = pixel / out.area();
      const int64_t y = pixel % out.area() / out.width * stride - top, x = pixel % out.width * stride - left;
      const int64_t begin = max(0, -x) * in.channels, end = min(kernelSize, in.width - x) * in.channels;
      float* target = packed + r * packedStride;
      for (int64_t ky = 0; ky < kernelSize; ++ky, target += length) {
        const bool isInside = y + ky >= 0 && y + ky < in.height;
        const float* from = images + ((n * in.height + y + ky) * in.width + x) * in.channels;
        for (int64_t i = 0; i < length; ++i) target[i] = isInside && i >= begin && i < end ? from[i] * scale[i] + shift[i] : 0.f;
      }
      for (float* rest = packed + (r + 1) * packedStride; target < rest; ++target) *target = 0.f;
    }
  }
};

/** Calls `run` with the source of the rows that a convolution multiplies with its kernel. */
template <class Element, class Run>
FERKIT_INLINE void withInputRows(const Geometry& geometry, const FeaturesOf<Element>& x, Run run) {
  const int64_t channels = geometry.in.channels, area = geometry.in.area();
  if (geometry.kernelSize > 1 || geometry.stride > 1)
    return run(PatchRows{reinterpret_cast<const float*>(x.values), x.norm, geometry});
  if (!x.norm) return x.gate ? run(GatedRows<Element>{x, channels, area}) : run(PlainRows<Element>{x.values, channels});
  withActivation(x.activation, [&](auto activation) {
    if (x.gate)
      run(FeatureRows<activation.value, true, Element>{x, channels, area});
    else
      run(FeatureRows<activation.value, false, Element>{x, channels, area});
  });
}

}  // namespace
}  // namespace ferkit
