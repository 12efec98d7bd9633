// Gradients of a depthwise convolution by its kernel and its input, in one pass over the images.
#pragma once
#include "depthwise.h"

namespace ferkit {
namespace {

/**
 * Frame in which the gradient by the input is itself a convolution with the flipped kernel: the gradient by the output, `stride`
 * apart, with zeros between and around.
 */
FERKIT_INLINE Frame dilatedFrame(const Geometry& geometry) {
  const Frame input = Frame::ofInput(geometry);
  return {input.height + geometry.kernelSize - 1, input.width + geometry.kernelSize - 1};
}

FERKIT_INLINE void layOutDilated(const Geometry& geometry, const NormalizedGradient& dy, const float* coefficients,
                                 const DepthwiseItem& item, const Frame& frame, vec* framed) {
  const Extent& out = geometry.out;
  const int64_t reach = geometry.kernelSize - 1, offset = item.image * out.area() * out.channels + item.c;
  const vec a = load(coefficients + item.c, item.count), b = load(coefficients + out.channels + item.c, item.count),
            c = load(coefficients + 2 * out.channels + item.c, item.count);
  clear(framed, frame.height * frame.width);
  for (int64_t oy = 0; oy < out.height; ++oy)
    for (int64_t ox = 0; ox < out.width; ++ox) {
      const int64_t from = offset + (oy * out.width + ox) * out.channels;
      const int64_t position = (oy * geometry.stride + reach) * frame.width + ox * geometry.stride + reach;
      framed[position] = a * load(dy.gradient + from, item.count) + (b * load(dy.values + from, item.count) + c);
    }
}

/** Adds an image's gradient by the kernel to `sum` [K·K, channels], as many rows of taps at a time as registers allow. */
template <int K>
FERKIT_INLINE void addKernelGradient(const Geometry& geometry, const vec* dilated, int64_t dilatedWidth, const vec* framed,
                                     int64_t framedWidth, const DepthwiseItem& item, float* sum) {
  constexpr int kTapRows = kLanes == 16 || K == 3 ? K : 1;
  const Extent& out = geometry.out;
  for (int first = 0; first < K; first += kTapRows) {
    vec taps[kTapRows * K] = {};
    for (int64_t oy = 0; oy < out.height; ++oy) {
      const vec* corner = framed + (oy * geometry.stride + first) * framedWidth;
      const vec* gradient = dilated + (oy * geometry.stride + K - 1) * dilatedWidth + K - 1;
      for (int64_t ox = 0; ox < out.width; ++ox, corner += geometry.stride, gradient += geometry.stride) {
        const vec g = *gradient;
#pragma GCC unroll 5
        for (int ky = 0; ky < kTapRows; ++ky)
#pragma GCC unroll 5
          for (int kx = 0; kx < K; ++kx) taps[ky * K + kx] += g * corner[ky * framedWidth + kx];
      }
    }
    for (int i = 0; i < kTapRows * K; ++i) {
      float* target = sum + (first * K + i) * out.channels + item.c;
      store(target, load(target, item.count) + taps[i], item.count);
    }
  }
}

/** Stores an image's gradient by the input, through the activation if the features have one. */
template <int K, Activation kActivation>
FERKIT_INLINE void storeInputGradient(const Geometry& geometry, const vec* dilated, int64_t dilatedWidth, const Frame& frame,
                                      const vec (&weights)[K * K], const Features& x, const DepthwiseItem& item,
                                      const FeaturesGradient& dx, const ChannelSums& sums, int part) {
  const int64_t channels = geometry.in.channels, offset = item.image * geometry.in.area() * channels + item.c;
  vec turned[K * K];
  for (int i = 0; i < K * K; ++i) turned[i] = weights[K * K - 1 - i];
  const auto gradientAt = [&](int64_t position) {
    return sumTaps<K>(dilated + position / frame.width * dilatedWidth + position % frame.width, dilatedWidth, turned);
  };
  if (!x.norm) {
    forEachFramed(geometry, frame, [&](int64_t pixel, int64_t position) {
      const int64_t index = offset + pixel * channels;
      const vec gradient = gradientAt(position);
      store(dx.gradient + index, dx.other ? gradient + load(dx.other + index, item.count) : gradient, item.count);
    });
    return;
  }
  NormalizedColumns<1, kActivation> norm(x.norm, channels, item.c);
  forEachFramed(geometry, frame, [&](int64_t pixel, int64_t position) {
    const int64_t at = offset + pixel * channels;
    store(dx.gradient + at, norm.gradient(0, load(x.values + at, item.count), gradientAt(position)), item.count);
  });
  norm.flush(sums, part, channels, item.c);
}

template <int K, Activation kActivation>
void depthwiseGradientParts(const Pool& pool, int parts, const Geometry& geometry, const NormalizedGradient& dy,
                            const float* coefficients, const Features& x, const float* kernel, float* own,
                            const FeaturesGradient& dx, const ChannelSums& sums) {
  const int64_t channels = geometry.in.channels;
  const Frame frame = Frame::ofInput(geometry), dilatedF = dilatedFrame(geometry);
  forEachItem(pool, parts, geometry.in, [&](int part, const DepthwiseItem& item) {
    vec* framed = reinterpret_cast<vec*>(scratch(kInputSlot, frame.numFloats()));
    vec* dilated = reinterpret_cast<vec*>(scratch(kGradientSlot, dilatedF.numFloats()));
    layOut<kActivation>(geometry, x, item, frame, framed);
    layOutDilated(geometry, dy, coefficients, item, dilatedF, dilated);
    addKernelGradient<K>(geometry, dilated, dilatedF.width, framed, frame.width, item, own + part * K * K * channels);
    if (!dx.gradient) return;
    vec weights[K * K];
    loadKernel<K>(kernel, channels, item, weights);
    storeInputGradient<K, kActivation>(geometry, dilated, dilatedF.width, frame, weights, x, item, dx, sums, part);
  });
}

void depthwiseGradient(const Pool& pool, const Geometry& geometry, const NormalizedGradient& dy, const Features& x,
                       const float* kernel, float* dKernel, const FeaturesGradient& dx) {
  const int64_t channels = geometry.in.channels, kernelLength = geometry.kernelSize * geometry.kernelSize * channels;
  const int parts = depthwiseParts(pool, geometry);
  const ChannelSums sums(parts, channels);
  float* coefficients = scratch(kDerivativeSlot, 3 * channels);
  gradientCoefficients(dy, geometry.out, coefficients);
  float* own = scratch(kPartsSlot, parts * kernelLength);
  for (int64_t i = 0; i < parts * kernelLength; ++i) own[i] = 0;
  withKernelSize(geometry.kernelSize, [&](auto k) {
    withActivation(x.activation, [&](auto activation) {
      depthwiseGradientParts<k.value, activation.value>(pool, parts, geometry, dy, coefficients, x, kernel, own, dx, sums);
    });
  });
  addParts(pool, own, kernelLength, parts, kernelLength, dKernel);
  if (dx.gradient && x.norm) finishGradient(sums, channels, dx);
}

}  // namespace
}  // namespace ferkit
