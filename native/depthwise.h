// Depthwise convolutions of features, a few vectors of channels of one image at a time.
#pragma once
#include "depthwise_rows.h"
#include "sums.h"

namespace ferkit {
namespace {

/** Vectors of channels that are worked on together, so that a pixel's numbers are read in one piece. */
constexpr int kGroupVectors = 3;

/** Numbers that are summed in float32, at most, unless an image has more; then the sum goes to one that loses less. */
constexpr int64_t kMaxFloatTerms = 4096;

/** Some vectors of channels, from c on, of images [begin, end). */
struct DepthwiseGroup {
  int64_t c;
  int numVectors;
  int64_t begin, end;

  /** Whether the sums of these images, of `area` numbers each, end with this one. */
  FERKIT_INLINE bool endsSums(int64_t image, int64_t area) const {
    return image + 1 == end || (image + 1 - begin) % max(1, kMaxFloatTerms / area) == 0;
  }
};

/** A part of all groups of channels of all images, image after image. */
struct DepthwisePart {
  int64_t numVectors, numGroups, batch;
  Range range;

  DepthwisePart(const Extent& extent, int parts, int part)
      : numVectors(ceilDivide(extent.channels, kLanes)),
        numGroups(ceilDivide(numVectors, kGroupVectors)),
        batch(extent.batch),
        range(extent.batch * numGroups, parts, part) {}
  template <class Body>
  FERKIT_INLINE void forEachGroup(Body body) const {
    for (int64_t i = range.begin; i < range.end;) {
      const int64_t group = i / batch, end = min(range.end, (group + 1) * batch);
      const int64_t first = numVectors * group / numGroups, last = numVectors * (group + 1) / numGroups;
      body(DepthwiseGroup{first * kLanes, (int)(last - first), i - group * batch, end - group * batch});
      i = end;
    }
  }
};

FERKIT_INLINE int depthwiseParts(const Pool& pool, const Geometry& geometry) {
  const int64_t items = geometry.in.batch * ceilDivide(geometry.in.channels, kGroupVectors * kLanes);
  const int64_t work = items * kGroupVectors * geometry.out.area() * geometry.kernelSize * geometry.kernelSize;
  return (int)min(min(pool.numThreads, items), work / 10000 + 1);
}

/** One image as a tile. */
FERKIT_INLINE PlanTile tileOf(const Geometry& geometry) {
  const Extent &in = geometry.in, &out = geometry.out;
  return {1, 0, out.height, in.height, in.width, out.height, out.width, geometry.padding};
}

/** Copies a vector of channels of the kernel, [taps, channels], to where its taps are next to each other. */
FERKIT_INLINE void copyTaps(const float* kernel, int64_t numTaps, int64_t channels, int64_t c, float* taps) {
  for (int64_t i = 0; i < numTaps; ++i) store(taps + i * kLanes, load(kernel + i * channels + c, channels - c));
}

/** Features of a group of channels, with norm and activation applied as they are read. */
template <Activation kActivation, class Element>
struct GroupFeatures {
  const Element* values;
  int64_t channels;
  bool hasNorm;
  vec scale[kGroupVectors], shift[kGroupVectors];

  FERKIT_INLINE GroupFeatures(const FeaturesOf<Element>& x, int64_t channels, int64_t c)
      : values(x.values + c), channels(channels), hasNorm(x.norm) {
    for (int v = 0; v < kGroupVectors && hasNorm; ++v) {
      const int64_t column = c + v * kLanes, count = max(0, channels - column);
      scale[v] = load(x.norm + kScale * channels + column, count);
      shift[v] = load(x.norm + kShift * channels + column, count);
    }
  }

  /** Fills a row of one plane; only the first `count` channels of its vector are there. */
  FERKIT_INLINE void fillRow(const Element* from, int v, int64_t count, int64_t width, float* target) const {
    from += v * kLanes;
    if (!hasNorm)
      for (int64_t x = 0; x < width; ++x) store(target + x * kLanes, load(from + x * channels, count));
    else if (count >= kLanes)
      for (int64_t x = 0; x < width; ++x)
        store(target + x * kLanes, activate<kActivation>(load(from + x * channels) * scale[v] + shift[v]));
    else
      for (int64_t x = 0; x < width; ++x)
        store(target + x * kLanes, activate<kActivation>(load(from + x * channels, count) * scale[v] + shift[v]));
  }
};

/** Fills rows [begin, end) of a ring's planes with an image's features, whose first pixel is `image`. */
template <class Source>
FERKIT_INLINE void fillRing(const Ring& ring, int64_t width, const Source& source, int64_t image, const DepthwiseGroup& group,
                            int64_t channels, int64_t begin, int64_t end, float* planes) {
  for (int64_t y = begin; y < end; ++y) {
    const auto* const from = source.values + (image + y * width) * channels;
    float* const target = ring.at(planes, ring.slot(y)) + ring.left * kLanes;
    for (int v = 0; v < group.numVectors; ++v)
      source.fillRow(from, v, channels - group.c - v * kLanes, width, target + v * ring.planeSize);
  }
}

/** Stores raw results and takes batch norm's sums. */
template <class Element>
struct DepthwiseBatchNorm {
  Element* y;
  int64_t channels;
  const float* movingMean;
  const ChannelSums* sums;

  struct Target {
    Element* next;
    int64_t channels, count;
    vec origin, offsets{}, squares{};
    FERKIT_INLINE void take(const vec* values, int64_t numValues) {
      for (int64_t i = 0; i < numValues; ++i, next += channels) {
        const vec offset = storeElements(next, values[i], count) - origin;
        offsets += offset;
        squares += offset * offset;
      }
    }
  };
  FERKIT_INLINE Target begin(int64_t c) const { return {nullptr, channels, channels - c, load(movingMean + c, channels - c)}; }
  FERKIT_INLINE void endSums(Target& target, int part, int64_t c) const {
    sums->add(part, c, target.offsets, target.squares);
    target.offsets = target.squares = vec{};
  }
};

/** Applies batch norm by moving statistics, then the activation. */
template <Activation kActivation, class Element>
struct DepthwiseFinish {
  Element* y;
  int64_t channels;
  Finish<Element> finish;

  struct Target {
    Element* next;
    int64_t channels, count;
    vec scale, shift;
    FERKIT_INLINE void take(const vec* values, int64_t numValues) {
      for (int64_t i = 0; i < numValues; ++i, next += channels)
        storeElements(next, activate<kActivation>(values[i] * scale + shift), count);
    }
  };
  FERKIT_INLINE Target begin(int64_t c) const {
    return {nullptr, channels, channels - c, load(finish.scale + c, channels - c), load(finish.shift + c, channels - c)};
  }
  FERKIT_INLINE void endSums(Target&, int, int64_t) const {}
};

/** Convolves all images; each result goes to a target of the epilogue. */
template <int K, Activation kActivation, class Element, class Epilogue>
void convolveDepthwise(const Pool& pool, int parts, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel,
                       const Epilogue& epilogue) {
  const Extent &in = geometry.in, &out = geometry.out;
  const PlanTile tile = tileOf(geometry);
  const Ring ring(tile, K, geometry.stride);
  parallel(pool, parts, [&](int part) {
    float* const planes = scratch(kInputSlot, kGroupVectors * ring.planeSize);
    for (int v = 0; v < kGroupVectors; ++v) ring.clear(planes + v * ring.planeSize);
    vec* const results = reinterpret_cast<vec*>(scratch(kOutputSlot, ring.numResults(tile) * kLanes));
    DepthwisePart(in, parts, part).forEachGroup([&](const DepthwiseGroup& group) {
      const GroupFeatures<kActivation, Element> source(x, in.channels, group.c);
      float taps[kGroupVectors][K * K * kLanes] __attribute__((aligned(64)));
      typename Epilogue::Target targets[kGroupVectors];
      for (int v = 0; v < group.numVectors; ++v) {
        copyTaps(kernel, K * K, out.channels, group.c + v * kLanes, taps[v]);
        targets[v] = epilogue.begin(group.c + v * kLanes);
      }
      for (int64_t image = group.begin; image < group.end; ++image) {
        for (int v = 0; v < group.numVectors; ++v) targets[v].next = epilogue.y + image * out.area() * out.channels + group.c + v * kLanes;
        int64_t filled = 0;
        for (int64_t y = 0; y < out.height; y += ring.stripHeight) {
          const int64_t end = min(out.height, y + ring.stripHeight);
          const int64_t needed = ring.isSmall ? in.height : min(in.height, (end - 1) * geometry.stride - ring.top + K);
          if (needed > filled) fillRing(ring, in.width, source, image * in.area(), group, in.channels, filled, needed, planes);
          filled = max(filled, needed);
          for (int v = 0; v < group.numVectors; ++v) {
            float* const plane = planes + v * ring.planeSize;
            const auto take = [&](const vec* values, int64_t count) { targets[v].take(values, count); };
            if (ring.isSmall)
              convolveWhole<K>(plane, in.height, taps[v], vec{}, results, take);
            else
              convolveRows<K>(ring, tile, geometry.stride, plane, y, end, taps[v], vec{}, results, take);
          }
        }
        for (int v = 0; v < group.numVectors && group.endsSums(image, out.area()); ++v)
          epilogue.endSums(targets[v], part, group.c + v * kLanes);
      }
    });
  });
}

/** Calls `run` with the kernel's size as a constant; EfficientNet uses these two. */
template <class Run>
FERKIT_INLINE void withKernelSize(int64_t kernelSize, Run run) {
  if (kernelSize == 3)
    run(IntConstant<3>());
  else
    run(IntConstant<5>());
}

template <class Element>
void depthwise(const Pool& pool, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel, Element* y,
               const BatchNorm& norm) {
  const Extent& out = geometry.out;
  const int parts = depthwiseParts(pool, geometry);
  const ChannelSums sums(parts, out.channels);
  const DepthwiseBatchNorm<Element> epilogue{y, out.channels, norm.movingMean, &sums};
  withKernelSize(geometry.kernelSize, [&](auto k) {
    withActivation(x.activation, [&](auto activation) {
      convolveDepthwise<k.value, activation.value>(pool, parts, geometry, x, kernel, epilogue);
    });
  });
  finishBatchNorm(sums, out, norm);
}

template <class Element>
void depthwiseInference(const Pool& pool, const Geometry& geometry, const FeaturesOf<Element>& x, const float* kernel, Element* y,
                        const Finish<Element>& finish) {
  const Extent& out = geometry.out;
  const int parts = depthwiseParts(pool, geometry);
  withKernelSize(geometry.kernelSize, [&](auto k) {
    withActivation(finish.activation, [&](auto activation) {
      const DepthwiseFinish<activation.value, Element> epilogue{y, out.channels, finish};
      convolveDepthwise<k.value, kLinear>(pool, parts, geometry, x, kernel, epilogue);
    });
  });
}

}  // namespace
}  // namespace ferkit
