// A plan's depthwise convolutions and what feeds them. The expansion or the stem writes some rows of a panel's channels into a ring,
// which stays in the first-level cache and is convolved there: the expanded image never goes to memory.
#pragma once
#include "plan_product.h"

namespace ferkit {
namespace {

/** Largest side of an image whose rows are convolved in registers, without zeros around them. */
constexpr int64_t kMaxSmallSide = kLanes == 16 ? 9 : 6;
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

  Ring(const PlanTile& tile, const PackedDepthwise& filter) {
    const int64_t k = filter.kernelSize, stride = filter.stride, side = tile.inHeight;
    isSmall = stride == 1 && side == tile.inWidth && side > 1 && side <= kMaxSmallSide && tile.begin == 0 && tile.end == side;
    top = paddingBefore(tile, tile.inHeight, tile.outHeight, k, stride);
    left = isSmall ? 0 : paddingBefore(tile, tile.inWidth, tile.outWidth, k, stride);
    width = isSmall ? tile.inWidth : (tile.outWidth - 1) * stride + k;
    stripHeight = min(tile.end - tile.begin, ceilDivide(kStripPixels, tile.inWidth * stride));
    capacity = isSmall ? tile.numImages * side : (stripHeight - 1) * stride + k;
    // An odd number of vectors, so that planes use different sets of the cache; the last row stays zero.
    planeSize = ((capacity + 1) * width | 1) * kLanes;
  }
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

/** Pixels that a strip of the stem's result reads, normalised, as elements with zeros around the image. */
struct StemPixels {
  int64_t width, top, left;
  vec scale[3], shift[3];

  StemPixels(const PlanTile& tile, const PlanImages& images)
      : width((tile.inWidth - 1) * 2 + 3),
        top(paddingBefore(tile, images.height, tile.inHeight, 3, 2)),
        left(paddingBefore(tile, images.width, tile.inWidth, 3, 2)) {
    for (int i = 0; i < 3 * kLanes; ++i) {
      scale[i / kLanes][i % kLanes] = images.scale[i % 3];
      shift[i / kLanes][i % kLanes] = images.shift[i % 3];
    }
  }
  int64_t rowSize() const { return width * 3; }
  /** Floats of memory for the rows of a ring; vectors are stored, and steps read, beyond the last pixel. */
  int64_t numFloats(const Ring& ring) const { return (2 * ring.capacity + 1) * rowSize() + 2 * kLanes; }

  void fill(const PlanImages& images, const Strip& strip, Element* pixels) const {
    const int64_t numInside = min(images.width, width - left) * 3;
    for (int64_t y = strip.begin * 2 - top; y < strip.end * 2 + 1 - top; ++y, pixels += rowSize()) {
      clear(pixels, 0, rowSize());
      if (y < 0 || y >= images.height) continue;
      Element* const target = pixels + left * 3;
      const int64_t from = (strip.image * images.height + y) * images.width * 3;
      for (int64_t i = 0, v = 0; i < numInside; i += kLanes, v = v == 2 ? 0 : v + 1) {
        const int64_t count = numInside - i;
        const vec values = images.areFloats ? load(static_cast<const float*>(images.pixels) + from + i, count)
                                            : loadBytes(static_cast<const uint8_t*>(images.pixels) + from + i, count);
        storeElements(target + i, values * scale[v] + shift[v]);
      }
      clear(target, numInside, rowSize() - left * 3);
    }
    clear(pixels, 0, kElementsAtOnce);
  }

 private:
  static void clear(Element* row, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row[i] = Element{};
  }
};

/** Loads a vector that is used more than once, where the compiler would read it from memory each time. */
FERKIT_INLINE vec loadToRegister(const float* p) {
  vec v = load(p);
#ifdef __AVX512F__
  asm("" : "+v"(v));
#else
  asm("" : "+x"(v));
#endif
  return v;
}

/** One image and vector of channels of a depthwise convolution's result. */
struct DepthwiseTarget {
  Element* result;
  int64_t stride;
  vec shift, total{};

  template <Activation kActivation>
  FERKIT_INLINE void take(vec sum) {
    const vec y = kActivation == kSwish ? fastSwish(sum) : activate<kActivation>(sum);
    total += y;
    storeElements(result, y);
    result += stride;
  }
};

/** Computes N neighbouring results, whose first taps are `offset` floats from the starts of K rows. */
template <int K, int Stride, int N, Activation kActivation>
FERKIT_INLINE void convolveRun(const float* const (&rows)[K], int64_t offset, const float* taps, DepthwiseTarget& target) {
  constexpr int kNumInputs = (N - 1) * Stride + K;
  vec sums[N];
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) sums[i] = target.shift;
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
  for (int i = 0; i < N; ++i) target.take<kActivation>(sums[i]);
}

template <int K, int Stride, Activation kActivation>
void convolveRow(const float* const (&rows)[K], int64_t width, const float* taps, DepthwiseTarget& target) {
  constexpr int N = Stride == 1 ? 4 : 2;
  int64_t x = 0;
  for (; x + N <= width; x += N) convolveRun<K, Stride, N, kActivation>(rows, x * Stride * kLanes, taps, target);
  if (N > 2 && x + 2 <= width) {
    convolveRun<K, Stride, 2, kActivation>(rows, x * Stride * kLanes, taps, target);
    x += 2;
  }
  if (x < width) convolveRun<K, Stride, 1, kActivation>(rows, x * Stride * kLanes, taps, target);
}

/** Convolves an image of Side × Side pixels without zeros around it, with the taps that meet a pixel. */
template <int K, int Side, Activation kActivation>
void convolveSmall(const float* image, const float* taps, DepthwiseTarget& target) {
  for (int y = 0; y < Side; ++y) {
    vec sums[Side];
#pragma GCC unroll 16
    for (int x = 0; x < Side; ++x) sums[x] = target.shift;
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
    for (int x = 0; x < Side; ++x) target.take<kActivation>(sums[x]);
  }
}

/** Work on the panels of one tile. */
template <int K, Activation kActivation>
struct DepthwiseWork {
  const PlanTile& tile;
  const PlanSource& source;
  const PackedDepthwise& filter;
  const PlanRows& result;
  float* const planes;
  float* const sums;
  const Ring ring;
  const StemPixels stem;
  const PanelSplit panels;
  Element* const pixels;

  DepthwiseWork(const PlanTile& tile, const PlanSource& source, const PackedDepthwise& filter, const PlanRows& result, float* scratch,
                float* sums)
      : tile(tile),
        source(source),
        filter(filter),
        result(result),
        planes(scratch),
        sums(sums),
        ring(tile, filter),
        stem(tile, source.images),
        panels(filter.channels),
        pixels(reinterpret_cast<Element*>(scratch + kMaxVectors * ring.planeSize)) {
    for (int v = 0; v < kMaxVectors; ++v) ring.clear(plane(v));
  }

  float* plane(int64_t v) const { return planes + v * ring.planeSize; }

  void fill(int64_t panel, const Strip& strip) const {
    if (source.kind == PlanSource::kStem)
      fillByStem(panel, strip);
    else if (source.kind == PlanSource::kExpansion)
      fillByExpansion(panel, strip);
    else
      fillByRows(panel, strip);
  }

  const Element* firstRow(const Strip& strip) const {
    return elements(source.rows) + (strip.image * tile.inHeight + strip.begin) * tile.inWidth * source.rows.stride;
  }

  void fillByExpansion(int64_t panel, const Strip& strip) const {
    RingWalk walk(ring, tile, strip, plane(0));
    multiplyPanel(
        source.product, panels, panel, strip.numRows() * tile.inWidth, firstRow(strip), source.rows.stride, kActivation,
        ring.planeSize, [&](int64_t, int64_t) { return walk.step(); }, [](int64_t, int64_t) {});
  }

  void fillByRows(int64_t panel, const Strip& strip) const {
    const int64_t first = panels.begin(panel), numVectors = panels.begin(panel + 1) - first;
    const Element* from = firstRow(strip) + first * kLanes;
    RingWalk walk(ring, tile, strip, plane(0));
    for (int64_t r = strip.numRows() * tile.inWidth; r > 0; --r, from += source.rows.stride) {
      float* const target = walk.step();
      for (int64_t v = 0; v < numVectors; ++v) store(target + v * ring.planeSize, loadElements(from + v * kLanes));
    }
  }

  void fillByStem(int64_t panel, const Strip& strip) const {
    const int64_t first = panels.begin(panel), numVectors = panels.begin(panel + 1) - first;
    stem.fill(source.images, strip, pixels);
    ProductTile product;
    product.aStride = 2 * 3;
    product.numSegments = 3;
    product.segmentStride = stem.rowSize();
    product.length = packedLength(9);
    product.panel = static_cast<const Element*>(source.product.panels) + first * kLanes * source.product.numIn;
    product.shift = source.product.shift + first * kLanes;
    product.vectorStride = ring.planeSize;
    setLimits(product, kActivation);
    RingWalk walk(ring, tile, strip, plane(0));
    for (int64_t y = 0; y < strip.numRows(); ++y)
      for (int64_t x = 0; x < tile.inWidth;) {
        const int64_t count = tileRows(tile.inWidth - x);
        product.a = pixels + y * 2 * stem.rowSize() + x * product.aStride;
        for (int64_t i = 0; i < count; ++i) product.rows[i] = walk.step();
        kMultiplyTile[count - 1][numVectors - 1](product);
        if (kActivation == kSwish) applySwish(product, count, numVectors);
        x += count;
      }
  }

  /** Computes rows [begin, end) of the results of one image from the ring. */
  void convolve(int64_t panel, int64_t image, int64_t begin, int64_t end) const {
    const int64_t row = (image * (tile.end - tile.begin) + begin - tile.begin) * tile.outWidth;
    for (int64_t vector = panels.begin(panel); vector < panels.begin(panel + 1); ++vector) {
      const int64_t c = vector * kLanes;
      float* const from = plane(vector - panels.begin(panel));
      const float* const taps = filter.taps + c * K * K;
      DepthwiseTarget target{elements(result) + row * result.stride + c, result.stride, load(filter.shift + c)};
      if (ring.isSmall)
        convolveWhole(ring.at(from, image * tile.inHeight), taps, target);
      else
        for (int64_t y = begin; y < end; ++y) convolveRowFrom(from, y, taps, target);
      if (!sums) continue;
      float* const sum = sums + image * result.stride + c;
      store(sum, load(sum) + target.total);
    }
  }

  void convolveWhole(const float* image, const float* taps, DepthwiseTarget& target) const {
    switch (tile.inHeight) {
      case 2: return convolveSmall<K, 2, kActivation>(image, taps, target);
      case 3: return convolveSmall<K, 3, kActivation>(image, taps, target);
      case 4: return convolveSmall<K, 4, kActivation>(image, taps, target);
      case 5: return convolveSmall<K, 5, kActivation>(image, taps, target);
      case 6: return convolveSmall<K, 6, kActivation>(image, taps, target);
#ifdef __AVX512F__
      case 7: return convolveSmall<K, 7, kActivation>(image, taps, target);
      case 8: return convolveSmall<K, 8, kActivation>(image, taps, target);
      case 9: return convolveSmall<K, 9, kActivation>(image, taps, target);
#endif
    }
  }

  void convolveRowFrom(float* from, int64_t y, const float* taps, DepthwiseTarget& target) const {
    const float* rows[K];
    for (int ky = 0; ky < K; ++ky) {
      const int64_t inRow = y * filter.stride - ring.top + ky;
      rows[ky] = ring.at(from, inRow < 0 || inRow >= tile.inHeight ? ring.zeroSlot() : ring.slot(inRow));
    }
    filter.stride == 1 ? convolveRow<K, 1, kActivation>(rows, tile.outWidth, taps, target)
                       : convolveRow<K, 2, kActivation>(rows, tile.outWidth, taps, target);
  }

  void run(int64_t panel) const {
    if (ring.isSmall) {
      fill(panel, {0, tile.numImages, 0, tile.inHeight});
      for (int64_t image = 0; image < tile.numImages; ++image) convolve(panel, image, 0, tile.outHeight);
      return;
    }
    for (int64_t image = 0; image < tile.numImages; ++image) {
      int64_t filled = max(0, tile.begin * filter.stride - ring.top);
      for (int64_t begin = tile.begin; begin < tile.end; begin += ring.stripHeight) {
        const int64_t end = min(tile.end, begin + ring.stripHeight);
        const int64_t needed = min(tile.inHeight, (end - 1) * filter.stride - ring.top + K);
        if (needed > filled) fill(panel, {image, 1, filled, needed});
        filled = max(filled, needed);
        convolve(panel, image, begin, end);
      }
    }
  }
};

template <int K, Activation kActivation>
void expandDepthwiseBy(const PlanTile& tile, const PlanSource& source, const PackedDepthwise& filter, int64_t begin, int64_t end,
                       float* scratch, const PlanRows& result, float* sums) {
  const DepthwiseWork<K, kActivation> work(tile, source, filter, result, scratch, sums);
  for (int64_t panel = begin; panel < end; ++panel) work.run(panel);
}

void expandDepthwise(const PlanTile& tile, const PlanSource& source, const PackedDepthwise& filter, Activation activation,
                     int64_t begin, int64_t end, float* scratch, const PlanRows& result, float* sums) {
  const auto run = filter.kernelSize == 3 ? (activation == kSwish ? expandDepthwiseBy<3, kSwish> : expandDepthwiseBy<3, kRelu6>)
                                          : (activation == kSwish ? expandDepthwiseBy<5, kSwish> : expandDepthwiseBy<5, kRelu6>);
  run(tile, source, filter, begin, end, scratch, result, sums);
}

int64_t scratchSize(const PlanTile& tile, const PlanSource& source, const PackedDepthwise& filter) {
  const Ring ring(tile, filter);
  const int64_t planes = kMaxVectors * ring.planeSize;
  return source.kind == PlanSource::kStem ? planes + StemPixels(tile, source.images).numFloats(ring) : planes;
}

}  // namespace
}  // namespace ferkit
