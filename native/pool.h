// Layers between convolutions: residuals, and means over an image.
#pragma once
#include "sums.h"

namespace ferkit {
namespace {

/** Rows of a column of channel vectors that are summed before the sum goes to ChannelSums. */
constexpr int64_t kSumRows = 64;

FERKIT_INLINE int elementwiseParts(const Pool& pool, const Extent& extent) {
  return (int)min(pool.numThreads, extent.pixels() * extent.channels / 20000 + 1);
}

/** Calls `body(part, image, c)` for each vector of channels of each image. */
template <class Body>
FERKIT_INLINE void forEachImageColumn(const Pool& pool, int parts, const Extent& extent, const Body& body) {
  const int64_t numVectors = ceilDivide(extent.channels, kLanes);
  parallel(pool, parts, [&](int part) {
    const Range range(extent.batch * numVectors, parts, part);
    for (int64_t i = range.begin; i < range.end; ++i) body(part, i / numVectors, i % numVectors * kLanes);
  });
}

FERKIT_INLINE vec activated(Activation activation, vec x) {
  return activation == kRelu6 ? activate<kRelu6>(x) : activation == kSwish ? activate<kSwish>(x) : x;
}

template <class Element>
void residual(const Pool& pool, const Extent& extent, const FeaturesOf<Element>& branch, const float* mask, const Element* skip,
              Element* y) {
  const int64_t channels = extent.channels, area = extent.area();
  const int parts = elementwiseParts(pool, extent);
  parallel(pool, parts, [&](int part) {
    const Range range(extent.pixels(), parts, part);
    for (int64_t row = range.begin; row < range.end; ++row) {
      const vec kept = splat(mask ? mask[row / area] : 1.f);
      for (int64_t c = 0; c < channels; c += kLanes) {
        const int64_t index = row * channels + c, count = channels - c;
        const vec scale = load(branch.norm + kScale * channels + c, count);
        const vec shift = load(branch.norm + kShift * channels + c, count);
        const vec value = activated(branch.activation, load(branch.values + index, count) * scale + shift) * kept;
        storeElements(y + index, skip ? value + load(skip + index, count) : value, count);
      }
    }
  });
}

template <class Element>
void residualGradient(const Pool& pool, const Extent& extent, const float* dy, const FeaturesOf<Element>& branch, const float* mask,
                      const FeaturesGradient& dBranch) {
  const int64_t channels = extent.channels, area = extent.area();
  const int parts = elementwiseParts(pool, extent);
  const ChannelSums sums(parts, channels);
  withActivation(branch.activation, [&](auto activation) {
    parallel(pool, parts, [&](int part) {
      const Range range(extent.pixels(), parts, part);
      for (int64_t first = range.begin; first < range.end; first += kSumRows)
        for (int64_t c = 0; c < channels; c += kLanes) {
          NormalizedColumns<1, activation.value> norm(branch.norm, channels, c);
          for (int64_t row = first; row < min(range.end, first + kSumRows); ++row) {
            const int64_t index = row * channels + c, count = channels - c;
            const vec g = load(dy + index, count) * splat(mask ? mask[row / area] : 1.f);
            store(dBranch.gradient + index, norm.gradient(0, load(branch.values + index, count), g), count);
          }
          norm.flush(sums, part, channels, c);
        }
    });
  });
  finishGradient(sums, channels, dBranch);
}

template <class Element>
void meanPool(const Pool& pool, const Extent& extent, const FeaturesOf<Element>& x, float* means) {
  const int64_t channels = extent.channels, area = extent.area();
  withActivation(x.activation, [&](auto activation) {
    forEachImageColumn(pool, elementwiseParts(pool, extent), extent, [&](int, int64_t image, int64_t c) {
      const int64_t count = channels - c;
      const vec scale = x.norm ? load(x.norm + kScale * channels + c, count) : splat(1.f);
      const vec shift = x.norm ? load(x.norm + kShift * channels + c, count) : splat(0.f);
      vec sum{};
      for (int64_t row = image * area; row < (image + 1) * area; ++row)
        sum += activate<activation.value>(load(x.values + row * channels + c, count) * scale + shift);
      store(means + image * channels + c, sum / splat((float)area), count);
    });
  });
}

template <class Element>
void meanPoolGradient(const Pool& pool, const Extent& extent, const float* dMeans, const FeaturesOf<Element>& x,
                      const FeaturesGradient& dx) {
  const int64_t channels = extent.channels, area = extent.area();
  const int parts = elementwiseParts(pool, extent);
  const ChannelSums sums(parts, channels);
  withActivation(x.activation, [&](auto activation) {
    forEachImageColumn(pool, parts, extent, [&](int part, int64_t image, int64_t c) {
      const int64_t count = channels - c;
      const vec share = load(dMeans + image * channels + c, count) / splat((float)area);
      NormalizedColumns<1, activation.value> norm(x.norm, channels, c);
      for (int64_t row = image * area; row < (image + 1) * area; ++row) {
        const int64_t index = row * channels + c;
        store(dx.gradient + index, norm.gradient(0, load(x.values + index, count), share), count);
      }
      norm.flush(sums, part, channels, c);
    });
  });
  finishGradient(sums, channels, dx);
}

}  // namespace
}  // namespace ferkit
