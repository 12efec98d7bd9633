// Convolutions as matrix products over pixels. Norm and activation of the input are applied while rows are packed; the epilogue
// runs while a tile of the result is in registers.
#pragma once
#include "epilogues.h"
#include "optimizer.h"

namespace ferkit {
namespace {

/** Returns the number of parts to split `numRows` rows into; no part is so small that handing it over costs more than the work. */
FERKIT_INLINE int partsFor(const Pool& pool, int64_t numRows, int64_t workPerRow) {
  const int64_t worthwhile = numRows * workPerRow / 100000 + 1;
  return (int)min(min(pool.numThreads, ceilDivide(numRows, kTileRows)), worthwhile);
}

FERKIT_INLINE Panels kernelPanels(const Pool& pool, int64_t numRows, int64_t numColumns, const float* kernel, bool isTransposed) {
  const Panels panels{scratch(kKernelSlot, Panels::size(numRows, numColumns)), numRows, numColumns};
  const int64_t count = panels.count();
  const int parts = (int)min(min(pool.numThreads, count), numRows * numColumns / 30000 + 1);
  parallel(pool, parts, [&](int part) {
    const Range range(count, parts, part);
    for (int64_t i = range.begin; i < range.end; ++i)
      isTransposed ? panels.packTransposed(i, kernel) : panels.pack(i, kernel);
  });
  return panels;
}

FERKIT_INLINE int64_t patchLength(const Geometry& geometry) {
  return geometry.kernelSize * geometry.kernelSize * geometry.in.channels;
}

/** Multiplies x's rows with the kernel, rows split among the parts; `epilogueOf(part)` finishes a part. */
template <class Element, class EpilogueOf>
FERKIT_INLINE void convolve(const Pool& pool, int parts, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel,
                            EpilogueOf epilogueOf) {
  const int64_t length = patchLength(geometry);
  const Panels panels = kernelPanels(pool, length, geometry.out.channels, kernel, false);
  withInputRows(geometry, x, [&](auto rows) {
    parallel(pool, parts, [&](int part) {
      const Range range(geometry.out.pixels(), parts, part, kTileRows);
      float* packed = scratch(kInputSlot, kBlockRows * rowStride(length));
      for (int64_t row = range.begin; row < range.end; row += kBlockRows) {
        const int64_t numRows = min(kBlockRows, range.end - row);
        rows.pack(row, numRows, packed);
        multiplyRows(packed, row, numRows, panels, 0, panels.count(), epilogueOf(part));
      }
    });
  });
}

/** Does the same for few rows: columns are split, and the kernel is read once, unpacked if its width allows. */
template <class Element, class EpilogueOf>
FERKIT_INLINE void convolveByColumns(const Pool& pool, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel,
                                     EpilogueOf epilogueOf) {
  const int64_t length = patchLength(geometry), numRows = geometry.out.pixels(), channels = geometry.out.channels;
  const Panels panels = channels % kLanes ? kernelPanels(pool, length, channels, kernel, false)
                                          : Panels{const_cast<float*>(kernel), length, channels, true};
  const int parts = (int)min(min(pool.numThreads, panels.count()), numRows * length * channels / 100000 + 1);
  withInputRows(geometry, x, [&](auto rows) {
    parallel(pool, parts, [&](int part) {
      const Range range(panels.count(), parts, part);
      float* packed = scratch(kInputSlot, kBlockRows * rowStride(length));
      rows.pack(0, numRows, packed);
      multiplyRows(packed, 0, numRows, panels, range.begin, range.end, epilogueOf(part));
    });
  });
}

template <class Element>
void convolution(const Pool& pool, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel, Element* y,
                 const BatchNorm& norm) {
  const Extent& out = geometry.out;
  const int parts = partsFor(pool, out.pixels(), patchLength(geometry) * out.channels);
  const ChannelSums sums(parts, out.channels);
  convolve(pool, parts, geometry, x, kernel,
           [&](int part) { return BatchNormEpilogue<Element>{y, out.channels, norm.movingMean, &sums, part}; });
  finishBatchNorm(sums, out, norm);
}

template <class Element>
void convolutionInference(const Pool& pool, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel, Element* y,
                          const Finish<Element>& finish) {
  const Extent& out = geometry.out;
  withActivation(finish.activation, [&](auto activation) {
    const auto epilogueOf = [&](int) { return FinishEpilogue<activation.value, Element>{y, out.channels, finish}; };
    if (out.pixels() <= kBlockRows) return convolveByColumns(pool, geometry, x, kernel, epilogueOf);
    const int parts = partsFor(pool, out.pixels(), patchLength(geometry) * out.channels);
    convolve(pool, parts, geometry, x, kernel, epilogueOf);
  });
}

template <class Element>
void convolutionGradient(const Pool& pool, const Geometry& geometry, const NormalizedGradient<Element>& dy,
                         const FeaturesOf<Element>& x, const float* kernel, const GradientUse& dKernel, const FeaturesGradient& dx) {
  const Extent &in = geometry.in, &out = geometry.out;
  const int64_t length = patchLength(geometry), kernelLength = length * out.channels;
  const int parts = partsFor(pool, out.pixels(), 2 * kernelLength);
  const ChannelSums sums(parts, in.channels);
  float* coefficients = scratch(kDerivativeSlot, 3 * out.channels);
  gradientCoefficients(dy, out, coefficients);
  const OutputGradientRows<Element> dyRows{dy.gradient, dy.values, coefficients, out.channels};
  // Only 1×1 convolutions need an input gradient: the one other is the stem, which reads images.
  const Panels panels = dx.gradient ? kernelPanels(pool, out.channels, length, kernel, true) : Panels{};
  float* const own = scratch(kPartsSlot, parts * kernelLength);
  withInputRows(geometry, x, [&](auto xRows) {
    parallel(pool, parts, [&](int part) {
      const Range range(out.pixels(), parts, part, kTileRows);
      float* dyPacked = scratch(kGradientSlot, kBlockRows * rowStride(out.channels));
      float* xPacked = scratch(kInputSlot, kBlockRows * rowStride(length));
      const auto epilogue = gradientEpilogue(xRows, x, in.channels, dx, sums, part);
      for (int64_t row = range.begin; row < range.end; row += kBlockRows) {
        const int64_t numRows = min(kBlockRows, range.end - row);
        dyRows.pack(row, numRows, dyPacked);
        xRows.pack(row, numRows, xPacked);
        if (dx.gradient) multiplyRows(dyPacked, row, numRows, panels, 0, panels.count(), epilogue);
        multiplyTransposed(xPacked, length, dyPacked, out.channels, numRows, row == range.begin, own + part * kernelLength);
      }
    });
  });
  useParts(pool, own, kernelLength, parts, kernelLength, dKernel);
  if (dx.gradient && x.norm && !x.gate) finishGradient(sums, in.channels, dx);
}

}  // namespace
}  // namespace ferkit
