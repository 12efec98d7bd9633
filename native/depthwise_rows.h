// Rows of a depthwise convolution. Some rows of an image's channels are kept in a ring, which stays in the first-level cache, and
// convolved there.
#pragma once
#include "plan_kernels.h"
#include "vector.h"

namespace ferkit {
namespace {

/** Largest side of an image whose rows are convolved in registers, without zeros around them. */
constexpr int64_t kMaxSmallSide = kNumRegisters == 32 ? 9 : 6;
/** Pixels that the expansion works on at least, so that a call costs little beside its work. */
constexpr int64_t kStripPixels = 48;

/** Returns the zeros before an image along one side. */
FERKIT_INLINE int64_t paddingBefore(const PlanTile& tile, int64_t in, int64_t out, int64_t kernelSize, int64_t stride) {
  if (tile.padding == kSymmetric) return (kernelSize - 1) / 2;
  if (tile.padding == kEven) return (kernelSize - stride) / 2;
  return max(0, (out - 1) * stride + kernelSize - in) / 2;
}

/**
 * Rows of a panel's input, a plane for each vector of channels.
 *
 * A row is as wide as the kernel reaches, with zeros left and right of the image. A small image is held as a whole, without zeros; all
 * of a tile's images lie one after another. Otherwise row y of an image is in slot y modulo `capacity`.
 */
struct Ring {
  bool isSmall;
  int64_t width, left, top, capacity, stripHeight, planeSize;

  Ring() = default;
  Ring(const PlanTile& tile, int64_t k, int64_t stride) {
    const int64_t side = tile.inHeight;
    isSmall = stride == 1 && side == tile.inWidth && side > 1 && side <= kMaxSmallSide && tile.begin == 0 && tile.end == side;
    top = paddingBefore(tile, tile.inHeight, tile.outHeight, k, stride);
    left = isSmall ? 0 : paddingBefore(tile, tile.inWidth, tile.outWidth, k, stride);
    width = isSmall ? tile.inWidth : (tile.outWidth - 1) * stride + k;
    stripHeight = isSmall ? side : min(tile.end - tile.begin, ceilDivide(kStripPixels, tile.inWidth * stride));
    capacity = isSmall ? tile.numImages * side : (stripHeight - 1) * stride + k;
    // An odd number of vectors, so that planes use different sets of the cache; the last row stays zero.
    planeSize = ((capacity + 1) * width | 1) * kLanes;
  }
  /** Returns a ring for the output of a convolution of stride 2, with enough zeros around a row for the input gradient. */
  static Ring ofOutput(const PlanTile& tile, int64_t k, int64_t stripHeight) {
    Ring ring;
    ring.isSmall = false;
    ring.width = tile.outWidth + k / 2 * 2;
    ring.left = k / 2;
    ring.top = 0;
    ring.stripHeight = stripHeight;
    ring.capacity = stripHeight + k / 2;
    ring.planeSize = ((ring.capacity + 1) * ring.width | 1) * kLanes;
    return ring;
  }
  /** Vectors of results that are computed at once. */
  int64_t numResults(const PlanTile& tile) const { return isSmall ? width * width : max(tile.outWidth, tile.inWidth); }
  int64_t slot(int64_t row) const { return isSmall ? row : row % capacity; }
  int64_t zeroSlot() const { return capacity; }
  float* at(float* plane, int64_t slot) const { return plane + slot * width * kLanes; }

  void clear(float* plane) const {
    for (int64_t i = 0; i < planeSize; i += kLanes) store(plane + i, vec{});
  }
};

/** Rows [begin, end) of the images from `image` on; several images only with all of their rows. */
struct Strip {
  int64_t image, numImages, begin, end;
  int64_t numRows() const { return numImages * (end - begin); }
};

/** Walks over the pixels of a strip in order, in a plane of the ring. */
struct RingWalk {
  const Ring& ring;
  float* const plane;
  const int64_t width;
  int64_t column = 0, slot;
  float* next;

  RingWalk(const Ring& ring, const PlanTile& tile, const Strip& strip, float* plane)
      : ring(ring), plane(plane), width(tile.inWidth), slot(ring.slot(strip.begin)), next(ring.at(plane, slot) + ring.left * kLanes) {}
  FERKIT_INLINE float* step() {
    float* const current = next;
    next += kLanes;
    if (++column == width) {
      column = 0;
      if (++slot == ring.capacity) slot = 0;
      next = ring.at(plane, slot) + ring.left * kLanes;
    }
    return current;
  }
};

/** Loads a vector that is used more than once. */
FERKIT_INLINE vec loadToRegister(const float* p) { return keepInRegister(load(p)); }

/** Computes N neighbouring results, whose first taps are `offset` floats from the starts of K rows. */
template <int K, int Stride, int N>
FERKIT_INLINE void convolveRun(const float* const (&rows)[K], int64_t offset, const float* taps, vec start, vec* result) {
  constexpr int kNumInputs = (N - 1) * Stride + K;
  vec sums[N];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) sums[i] = start;
#pragma GCC unroll 5
  for (int ky = 0; ky < K; ++ky) {
    vec inputs[kNumInputs];
#pragma GCC unroll 16
    for (int i = 0; i < kNumInputs; ++i) inputs[i] = loadToRegister(rows[ky] + offset + i * kLanes);
#pragma GCC unroll 5
    for (int kx = 0; kx < K; ++kx) {
      const vec tap = load(taps + (ky * K + kx) * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < N; ++i) sums[i] += inputs[i * Stride + kx] * tap;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) result[i] = sums[i];
}

/** Computes a row of `width` results from K rows, each a start plus its taps. */
template <int K, int Stride>
void convolveRow(const float* const (&rows)[K], int64_t width, const float* taps, vec start, vec* result) {
  constexpr int N = Stride == 1 ? 4 : 2;
  int64_t x = 0;
  for (; x + N <= width; x += N) convolveRun<K, Stride, N>(rows, x * Stride * kLanes, taps, start, result + x);
  if (N > 2 && x + 2 <= width) {
    convolveRun<K, Stride, 2>(rows, x * Stride * kLanes, taps, start, result + x);
    x += 2;
  }
  if (x < width) convolveRun<K, Stride, 1>(rows, x * Stride * kLanes, taps, start, result + x);
}

/** Convolves an image of Side × Side pixels without zeros around it, with the taps that meet a pixel. */
template <int K, int Side>
void convolveSmall(const float* image, const float* taps, vec start, vec* result) {
  for (int y = 0; y < Side; ++y, result += Side) {
    vec sums[Side];
#pragma GCC unroll 16
    for (int x = 0; x < Side; ++x) sums[x] = start;
    for (int fromY = y < K / 2 ? 0 : y - K / 2; fromY < Side && fromY <= y + K / 2; ++fromY) {
      const float* const rowTaps = taps + (fromY - y + K / 2) * K * kLanes;
      vec inputs[Side];
#pragma GCC unroll 16
      for (int x = 0; x < Side; ++x) inputs[x] = loadToRegister(image + (fromY * Side + x) * kLanes);
#pragma GCC unroll 5
      for (int kx = 0; kx < K; ++kx) {
        const vec tap = load(rowTaps + kx * kLanes);
#pragma GCC unroll 16
        for (int x = 0; x < Side; ++x) {
          const int fromX = x + kx - K / 2;
          if (fromX >= 0 && fromX < Side) sums[x] += inputs[fromX] * tap;
        }
      }
    }
#pragma GCC unroll 16
    for (int x = 0; x < Side; ++x) result[x] = sums[x];
  }
}

/** Calls `run` with the side of a small image as a constant. */
template <int Side = 2, class Run>
FERKIT_INLINE void withSide(int64_t side, Run run) {
  if (side == Side) return run(IntConstant<Side>());
  if constexpr (Side < kMaxSmallSide) withSide<Side + 1>(side, run);
}

/** Finds the K rows of a ring's plane from `first` on; those outside the image are zero. */
template <int K>
FERKIT_INLINE void findRows(const Ring& ring, int64_t height, float* plane, int64_t first, const float* (&rows)[K]) {
  for (int ky = 0; ky < K; ++ky) {
    const int64_t row = first + ky;
    rows[ky] = ring.at(plane, row < 0 || row >= height ? ring.zeroSlot() : ring.slot(row));
  }
}

/** Computes output rows [begin, end) from a ring's plane; `take(sums, count)` takes some at a time, in order. */
template <int K, class Take>
FERKIT_INLINE void convolveRows(const Ring& ring, const PlanTile& tile, int64_t stride, float* plane, int64_t begin, int64_t end,
                                const float* taps, vec start, vec* row, Take take) {
  for (int64_t y = begin; y < end; ++y) {
    const float* rows[K];
    findRows<K>(ring, tile.inHeight, plane, y * stride - ring.top, rows);
    stride == 1 ? convolveRow<K, 1>(rows, tile.outWidth, taps, start, row) : convolveRow<K, 2>(rows, tile.outWidth, taps, start, row);
    take(row, tile.outWidth);
  }
}

/** Computes all output rows of a small image. */
template <int K, class Take>
FERKIT_INLINE void convolveWhole(const float* image, int64_t side, const float* taps, vec start, vec* result, Take take) {
  withSide(side, [&](auto constant) { convolveSmall<K, constant.value>(image, taps, start, result); });
  take(result, side * side);
}

}  // namespace
}  // namespace ferkit
