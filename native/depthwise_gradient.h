// The kernel gradient and the input gradient of a depthwise convolution, in one pass over the images. Rows of the input, and of the output
// gradient, are kept in a ring each.
#pragma once
#include "depthwise.h"
#include "optimizer.h"

namespace ferkit {
namespace {

/** The raw output gradient of a group, derived from the normalised output gradient. */
template <class Element>
struct GroupGradient {
  const float* values;
  const Element* raw;
  int64_t channels;
  vec a[kGroupVectors], b[kGroupVectors], c[kGroupVectors];

  FERKIT_INLINE GroupGradient(const NormalizedGradient<Element>& dy, const float* coefficients, int64_t channels, int64_t column)
      : values(dy.gradient + column), raw(dy.values + column), channels(channels) {
    for (int v = 0; v < kGroupVectors; ++v) {
      const int64_t first = column + v * kLanes, count = max(0, channels - first);
      a[v] = load(coefficients + first, count);
      b[v] = load(coefficients + channels + first, count);
      c[v] = load(coefficients + 2 * channels + first, count);
    }
  }
  FERKIT_INLINE void fillRow(const float* from, int v, int64_t count, int64_t width, float* target) const {
    from += v * kLanes;
    const Element* const fromRaw = raw + (from - values);
    for (int64_t x = 0; x < width; ++x)
      store(target + x * kLanes, a[v] * load(from + x * channels, count) + (b[v] * load(fromRaw + x * channels, count) + c[v]));
  }
};

/** Receives the gradient of a vector of channels of the features; takes it back through their activation. */
template <Activation kActivation, class Element>
struct InputGradientTarget {
  bool hasNorm;
  int64_t channels, count;
  NormalizedColumns<1, kActivation> norm;
  /** Points at the next pixel's raw value, at what is added to its gradient (null = nothing), and at where that goes. */
  const Element* raw;
  const float* other;
  float* next;

  FERKIT_INLINE void begin(const FeaturesOf<Element>& x, int64_t numChannels, int64_t c) {
    hasNorm = x.norm;
    channels = numChannels;
    count = numChannels - c;
    if (hasNorm) norm = NormalizedColumns<1, kActivation>(x.norm, numChannels, c);
  }
  FERKIT_INLINE void moveTo(const FeaturesOf<Element>& x, const FeaturesGradient& dx, int64_t offset) {
    raw = x.values + offset;
    other = dx.other ? dx.other + offset : nullptr;
    next = dx.gradient + offset;
  }
  FERKIT_INLINE void take(const vec* sums, int64_t numSums) {
    if (hasNorm)
      for (int64_t i = 0; i < numSums; ++i, raw += channels, next += channels)
        store(next, norm.gradient(0, load(raw, count), sums[i]), count);
    else
      for (int64_t i = 0; i < numSums; ++i, next += channels) {
        store(next, other ? sums[i] + load(other, count) : sums[i], count);
        other += other ? channels : 0;
      }
  }
};

/** Adds to the gradient of the taps from output rows [begin, end) of one image and vector of channels. */
template <int K, int Stride>
void addRows(const Ring& ring, const PlanTile& tile, float* plane, const Ring& dyRing, float* dyPlane, int64_t begin, int64_t end,
             vec (&sums)[K * K]) {
  // As many rows of taps at a time as registers allow.
  constexpr int kTapRows = kNumRegisters == 32 || K == 3 ? K : 1;
  for (int first = 0; first < K; first += kTapRows) {
    vec taps[kTapRows * K];
#pragma GCC unroll 25
    for (int i = 0; i < kTapRows * K; ++i) taps[i] = sums[first * K + i];
    for (int64_t y = begin; y < end; ++y) {
      const float* rows[K];
      findRows<K>(ring, tile.inHeight, plane, y * Stride - ring.top, rows);
      const float* dy = dyRing.at(dyPlane, dyRing.slot(y)) + dyRing.left * kLanes;
      for (int64_t x = 0; x < tile.outWidth; ++x) {
        const vec g = load(dy + x * kLanes);
#pragma GCC unroll 5
        for (int ky = 0; ky < kTapRows; ++ky)
#pragma GCC unroll 5
          for (int kx = 0; kx < K; ++kx) taps[ky * K + kx] += g * load(rows[first + ky] + (x * Stride + kx) * kLanes);
      }
    }
#pragma GCC unroll 25
    for (int i = 0; i < kTapRows * K; ++i) sums[first * K + i] = taps[i];
  }
}

/** Does so for a small image, with the pixels that are there. */
template <int K, int Side>
void addSmall(const float* image, const float* dy, vec (&sums)[K * K]) {
  for (int ky = 0; ky < K; ++ky) {
    vec taps[K];
#pragma GCC unroll 5
    for (int kx = 0; kx < K; ++kx) taps[kx] = sums[ky * K + kx];
    for (int y = ky < K / 2 ? K / 2 - ky : 0; y < Side && y + ky - K / 2 < Side; ++y) {
      const float *row = image + (y + ky - K / 2) * Side * kLanes, *dyRow = dy + y * Side * kLanes;
      vec inputs[Side];
#pragma GCC unroll 16
      for (int x = 0; x < Side; ++x) inputs[x] = loadToRegister(row + x * kLanes);
#pragma GCC unroll 16
      for (int x = 0; x < Side; ++x) {
        const vec g = load(dyRow + x * kLanes);
#pragma GCC unroll 5
        for (int kx = 0; kx < K; ++kx) {
          const int fromX = x + kx - K / 2;
          if (fromX >= 0 && fromX < Side) taps[kx] += g * inputs[fromX];
        }
      }
    }
#pragma GCC unroll 5
    for (int kx = 0; kx < K; ++kx) sums[ky * K + kx] = taps[kx];
  }
}

/**
 * Computes a row of the input gradient of a convolution of stride 2: every other tap of every other row meets an output pixel.
 *
 * @param dy - For ky = firstTap, firstTap + 2, …, the output pixels of the row that the input row meets there, from 0 on.
 */
template <int K>
void spreadRow(const float* const (&dy)[K / 2 + 1], int firstTap, int64_t left, int64_t width, const float* taps, vec* result) {
  const int numRows = (K - firstTap + 1) / 2;
  for (int64_t x = left; x < left + width; ++x) {
    const int64_t to = x / 2 * kLanes;
    vec sum{};
    for (int i = 0; i < numRows; ++i) {
      const float* const rowTaps = taps + (firstTap + 2 * i) * K * kLanes;
      if (x % 2 == 0) {
#pragma GCC unroll 3
        for (int j = 0; j <= K / 2; ++j) sum += load(dy[i] + to - j * kLanes) * load(rowTaps + 2 * j * kLanes);
      } else {
#pragma GCC unroll 3
        for (int j = 0; j < K / 2; ++j) sum += load(dy[i] + to - j * kLanes) * load(rowTaps + (2 * j + 1) * kLanes);
      }
    }
    result[x - left] = sum;
  }
}

/** Holds what a part needs for the gradients of a depthwise convolution. */
template <int K, Activation kActivation, class Element>
struct DepthwiseGradientWork {
  typedef InputGradientTarget<kActivation, Element> Target;
  const Geometry& geometry;
  const FeaturesOf<Element>& x;
  const FeaturesGradient& dx;
  const PlanTile tile;
  /** The ring of rows of the input, and that of the output gradient. */
  const Ring ring, dyRing;
  float *const planes, *const dyPlanes;
  vec* const results;

  DepthwiseGradientWork(const Geometry& geometry, const FeaturesOf<Element>& x, const FeaturesGradient& dx)
      : geometry(geometry),
        x(x),
        dx(dx),
        tile(tileOf(geometry)),
        ring(tile, K, geometry.stride),
        dyRing(geometry.stride == 1 ? ring : Ring::ofOutput(tile, K, ring.stripHeight)),
        planes(scratch(kInputSlot, kGroupVectors * ring.planeSize)),
        dyPlanes(scratch(kGradientSlot, kGroupVectors * dyRing.planeSize)),
        results(reinterpret_cast<vec*>(scratch(kOutputSlot, ring.numResults(tile) * kLanes))) {
    for (int v = 0; v < kGroupVectors; ++v) {
      ring.clear(planes + v * ring.planeSize);
      dyRing.clear(dyPlanes + v * dyRing.planeSize);
    }
  }

  /** Sets the group's channels of `own` [K·K, channels]. */
  void run(const DepthwiseGroup& group, const NormalizedGradient<Element>& dy, const float* coefficients, const float* kernel, float* own,
           const ChannelSums& sums, int part) const {
    const int64_t channels = geometry.in.channels;
    const GroupFeatures<kActivation, Element> source(x, channels, group.c);
    const GroupGradient<Element> dySource(dy, coefficients, channels, group.c);
    vec dTaps[kGroupVectors][K * K] = {};
    // The taps as they are spread (stride 2), or turned round (stride 1), which makes the gradient a convolution.
    float taps[kGroupVectors][K * K * kLanes] __attribute__((aligned(64)));
    Target targets[kGroupVectors];
    for (int v = 0; v < group.numVectors; ++v) {
      const int64_t c = group.c + v * kLanes;
      for (int i = 0; i < K * K; ++i)
        store(taps[v] + (geometry.stride == 1 ? K * K - 1 - i : i) * kLanes, load(kernel + i * channels + c, channels - c));
      targets[v].begin(x, channels, c);
    }
    bool isFirst = true;
    for (int64_t image = group.begin; image < group.end; ++image) {
      runImage(group, image, source, dySource, taps, targets, dTaps);
      if (!group.endsSums(image, geometry.in.area())) continue;
      for (int v = 0; v < group.numVectors; ++v) {
        const int64_t c = group.c + v * kLanes, count = channels - c;
        for (int i = 0; i < K * K; ++i) {
          float* const target = own + i * channels + c;
          store(target, isFirst ? dTaps[v][i] : load(target, count) + dTaps[v][i], count);
          dTaps[v][i] = vec{};
        }
        if (dx.gradient && x.norm) targets[v].norm.flush(sums, part, channels, c);
      }
      isFirst = false;
    }
  }

  FERKIT_INLINE void runImage(const DepthwiseGroup& group, int64_t image, const GroupFeatures<kActivation, Element>& source,
                              const GroupGradient<Element>& dySource, const float (&taps)[kGroupVectors][K * K * kLanes],
                              Target (&targets)[kGroupVectors], vec (&dTaps)[kGroupVectors][K * K]) const {
    const Extent &in = geometry.in, &out = geometry.out;
    for (int v = 0; v < group.numVectors && dx.gradient; ++v)
      targets[v].moveTo(x, dx, image * in.area() * in.channels + group.c + v * kLanes);
    int64_t filled = 0, done = 0;
    for (int64_t y = 0; y < out.height; y += ring.stripHeight) {
      const int64_t end = min(out.height, y + ring.stripHeight);
      const int64_t needed = ring.isSmall ? in.height : min(in.height, (end - 1) * geometry.stride - ring.top + K);
      if (needed > filled) fillRing(ring, tile.inWidth, source, image * in.area(), group, in.channels, filled, needed, planes);
      fillRing(dyRing, tile.outWidth, dySource, image * out.area(), group, out.channels, y, end, dyPlanes);
      filled = max(filled, needed);
      // Input rows that meet no output row from `end` on.
      const int64_t reach = geometry.stride == 1 ? end - (K - 1 - ring.top) : 2 * end - ring.top;
      const int64_t last = end == out.height ? in.height : max(done, min(in.height, reach));
      for (int v = 0; v < group.numVectors; ++v) {
        float *const plane = planes + v * ring.planeSize, *const dyPlane = dyPlanes + v * dyRing.planeSize;
        if (ring.isSmall) {
          withSide(in.height, [&](auto side) { addSmall<K, side.value>(plane, dyPlane, dTaps[v]); });
          const auto take = [&](const vec* values, int64_t count) { targets[v].take(values, count); };
          if (dx.gradient) convolveWhole<K>(dyPlane, in.height, taps[v], vec{}, results, take);
        } else if (geometry.stride == 1) {
          addRows<K, 1>(ring, tile, plane, dyRing, dyPlane, y, end, dTaps[v]);
          if (dx.gradient) convolveInputRows(dyPlane, done, last, taps[v], targets[v]);
        } else {
          addRows<K, 2>(ring, tile, plane, dyRing, dyPlane, y, end, dTaps[v]);
          if (dx.gradient) spreadRows(dyPlane, done, last, taps[v], targets[v]);
        }
      }
      done = last;
    }
  }

  void convolveInputRows(float* dyPlane, int64_t begin, int64_t end, const float* taps, Target& target) const {
    for (int64_t y = begin; y < end; ++y) {
      const float* rows[K];
      findRows<K>(dyRing, tile.outHeight, dyPlane, y - (K - 1 - ring.top), rows);
      convolveRow<K, 1>(rows, tile.inWidth, taps, vec{}, results);
      target.take(results, tile.inWidth);
    }
  }

  void spreadRows(float* dyPlane, int64_t begin, int64_t end, const float* taps, Target& target) const {
    for (int64_t y = begin + ring.top; y < end + ring.top; ++y) {
      const float* rows[K / 2 + 1];
      for (int i = 0; i <= K / 2; ++i) {
        const int64_t row = y / 2 - i;
        rows[i] = dyRing.at(dyPlane, row < 0 || row >= tile.outHeight ? dyRing.zeroSlot() : dyRing.slot(row)) + dyRing.left * kLanes;
      }
      spreadRow<K>(rows, y % 2, ring.left, tile.inWidth, taps, results);
      target.take(results, tile.inWidth);
    }
  }
};

template <class Element>
void depthwiseGradient(const Pool& pool, const Geometry& geometry, const NormalizedGradient<Element>& dy, const FeaturesOf<Element>& x,
                       const float* kernel, const GradientUse& dKernel, const FeaturesGradient& dx) {
  const int64_t channels = geometry.in.channels, kernelLength = geometry.kernelSize * geometry.kernelSize * channels;
  const int parts = depthwiseParts(pool, geometry);
  const ChannelSums sums(parts, channels);
  float* const coefficients = scratch(kDerivativeSlot, 3 * channels);
  gradientCoefficients(dy, geometry.out, coefficients);
  float* const parted = scratch(kPartsSlot, parts * kernelLength);
  withKernelSize(geometry.kernelSize, [&](auto k) {
    withActivation(x.activation, [&](auto activation) {
      parallel(pool, parts, [&](int part) {
        // A part sets some channels; those of the others are zero.
        float* const own = parted + part * kernelLength;
        for (int64_t i = 0; parts > 1 && i < kernelLength; ++i) own[i] = 0;
        const DepthwiseGradientWork<k.value, activation.value, Element> work(geometry, x, dx);
        DepthwisePart(geometry.in, parts, part).forEachGroup([&](const DepthwiseGroup& group) {
          work.run(group, dy, coefficients, kernel, own, sums, part);
        });
      });
    });
  });
  useParts(pool, parted, kernelLength, parts, kernelLength, dKernel);
  if (dx.gradient && x.norm) finishGradient(sums, channels, dx);
}

}  // namespace
}  // namespace ferkit
