// A plan's depthwise convolutions and what feeds them. The expansion or the stem writes some rows of a panel's channels into a ring,
// which stays in the first-level cache and is convolved there: the expanded image never goes to memory.
#pragma once
#include "depthwise_rows.h"
#include "plan_product.h"

namespace ferkit {
namespace {

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
  vec* const results;
  Element* const pixels;

  DepthwiseWork(const PlanTile& tile, const PlanSource& source, const PackedDepthwise& filter, const PlanRows& result, float* scratch,
                float* sums)
      : tile(tile),
        source(source),
        filter(filter),
        result(result),
        planes(scratch),
        sums(sums),
        ring(tile, filter.kernelSize, filter.stride),
        stem(tile, source.images),
        panels(filter.channels),
        results(reinterpret_cast<vec*>(scratch + kMaxVectors * ring.planeSize)),
        pixels(reinterpret_cast<Element*>(results + ring.numResults(tile))) {
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
      const vec shift = load(filter.shift + c);
      Element* target = elements(result) + row * result.stride + c;
      vec total{};
      const auto take = [&](const vec* values, int64_t count) {
        for (int64_t i = 0; i < count; ++i, target += result.stride) {
          const vec y = kActivation == kSwish ? fastSwish(values[i]) : activate<kActivation>(values[i]);
          total += y;
          storeElements(target, y);
        }
      };
      if (ring.isSmall)
        convolveWhole<K>(ring.at(from, image * tile.inHeight), tile.inHeight, taps, shift, results, take);
      else
        convolveRows<K>(ring, tile, filter.stride, from, begin, end, taps, shift, results, take);
      if (!sums) continue;
      float* const sum = sums + image * result.stride + c;
      store(sum, load(sum) + total);
    }
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
  const Ring ring(tile, filter.kernelSize, filter.stride);
  const int64_t size = kMaxVectors * ring.planeSize + ring.numResults(tile) * kLanes;
  return source.kind == PlanSource::kStem ? size + StemPixels(tile, source.images).numFloats(ring) : size;
}

}  // namespace
}  // namespace ferkit
