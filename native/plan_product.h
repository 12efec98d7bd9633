// Matrix products of a plan: rows of elements times a packed matrix, a tile of at most 8 rows by 3 vectors at a time.
#pragma once
#include "plan_kernels.h"
#include "vector.h"

namespace ferkit {
namespace {

#ifdef FERKIT_BFLOAT16
/** The upper half of a float32. Products take elements in pairs, so packed rows come in pairs too. */
struct Element {
  uint16_t bits;
};
constexpr int kElementsAtOnce = 2;

FERKIT_INLINE vec loadElements(const Element* p) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
}
FERKIT_INLINE void storeElements(Element* p, vec v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)_mm512_cvtneps_pbh((__m512)v));
}
inline Element toElement(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return {(uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}
typedef __m512bh operand;
FERKIT_INLINE operand loadOperand(const Element* p) { return (operand)_mm512_loadu_si512(p); }
FERKIT_INLINE operand splatOperand(const Element* p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, 4);
  return (operand)_mm512_set1_epi32(pair);
}
FERKIT_INLINE vec multiplyAdd(vec sum, operand a, operand b) { return (vec)_mm512_dpbf16_ps((__m512)sum, a, b); }
#else
typedef float Element;
constexpr int kElementsAtOnce = 1;

FERKIT_INLINE vec loadElements(const Element* p) { return load(p); }
FERKIT_INLINE void storeElements(Element* p, vec v) { store(p, v); }
inline Element toElement(float x) { return x; }
typedef vec operand;
FERKIT_INLINE operand loadOperand(const Element* p) { return load(p); }
FERKIT_INLINE operand splatOperand(const Element* p) { return splat(*p); }
FERKIT_INLINE vec multiplyAdd(vec sum, operand a, operand b) { return sum + a * b; }
#endif

FERKIT_INLINE Element* elements(const PlanRows& rows) { return static_cast<Element*>(rows.data); }

/** Loads the first `count` bytes as floats; the others are 0. */
FERKIT_INLINE vec loadBytes(const uint8_t* p, int64_t count) {
  uint8_t bytes[kLanes] = {};
  if (count >= kLanes)
    __builtin_memcpy(bytes, p, kLanes);
  else
    for (int64_t i = 0; i < count; ++i) bytes[i] = p[i];
  return bytesToFloats(bytes);
}

/** Rows of a tile: as many sums as leave registers for the operands. */
constexpr int kMaxTileRows = kNumRegisters == 32 ? 8 : 4;
constexpr int kMaxVectors = 3;

/** Columns of a packed matrix in panels of at most kMaxVectors vectors of about equal width. */
struct PanelSplit {
  int64_t numVectors, count;
  explicit PanelSplit(int64_t numOut) : numVectors(ceilDivide(numOut, kLanes)), count(ceilDivide(numVectors, kMaxVectors)) {}
  /** First vector of panel i. */
  int64_t begin(int64_t i) const { return i * numVectors / count; }
};

/** Elements of a packed column: a whole number of steps. */
inline int64_t packedLength(int64_t numIn) { return roundUp(numIn, kElementsAtOnce); }

/** An operand [rows, segments, length] and where its tile of the result goes. */
struct ProductTile {
  const Element* a;
  int64_t aStride, numSegments, segmentStride, length;
  const Element* panel;
  const float* shift;
  float low, high;
  /** First vector of each row, and the distance to a row's next vector, in floats. */
  float* rows[kMaxTileRows];
  int64_t vectorStride;
};

/** Stores min(max(a · panel + shift, low), high). */
template <int R, int V>
void multiplyTile(const ProductTile& tile) {
  vec sums[R][V];
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v)
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) sums[r][v] = load(tile.shift + v * kLanes);
  const Element* b = tile.panel;
  const int64_t stride = tile.aStride;
  for (int64_t segment = 0; segment < tile.numSegments; ++segment) {
    const Element* a = tile.a + segment * tile.segmentStride;
    for (const Element* end = a + tile.length; a < end; a += kElementsAtOnce) {
      operand columns[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) columns[v] = loadOperand(b + v * kLanes * kElementsAtOnce);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const operand factor = splatOperand(a + r * stride);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sums[r][v] = multiplyAdd(sums[r][v], factor, columns[v]);
      }
      b += V * kLanes * kElementsAtOnce;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v)
      store(tile.rows[r] + v * tile.vectorStride, atMost(atLeast(sums[r][v], tile.low), tile.high));
}

typedef void (*MultiplyTile)(const ProductTile&);
#define FERKIT_TILES(R) {multiplyTile<R, 1>, multiplyTile<R, 2>, multiplyTile<R, 3>}
/** By rows − 1 and vectors − 1. */
constexpr MultiplyTile kMultiplyTile[kMaxTileRows][kMaxVectors] = {
    FERKIT_TILES(1), FERKIT_TILES(2), FERKIT_TILES(3), FERKIT_TILES(4),
#if defined(__AVX512F__) || defined(__aarch64__)
    FERKIT_TILES(5), FERKIT_TILES(6), FERKIT_TILES(7), FERKIT_TILES(8),
#endif
};
#undef FERKIT_TILES

/** Returns the rows of the next tile: the last two are about equal, since a tile of few rows is slow. */
FERKIT_INLINE int64_t tileRows(int64_t numLeft) {
  if (numLeft <= kMaxTileRows) return numLeft;
  return numLeft < 2 * kMaxTileRows ? ceilDivide(numLeft, 2) : kMaxTileRows;
}

/** Sets a tile's limits to those of an activation; swish is applied to the stored result instead. */
FERKIT_INLINE void setLimits(ProductTile& tile, Activation activation) {
  tile.low = activation == kRelu6 ? 0.f : -__builtin_inff();
  tile.high = activation == kRelu6 ? 6.f : __builtin_inff();
}

/** Computes 1 / (1 + e^−x) with a relative error below 1e-6. */
FERKIT_INLINE vec fastSigmoid(vec x) {
  vec t = atMost(x * -1.44269504f, 126.f);
  if (!kScalesByAnyPower) t = atLeast(t, -126.f);
  const vec n = nearestInteger(t), f = t - n;
  // 2^f on [−0.5, 0.5].
  vec p = splat(1.33952925e-3f);
  p = p * f + 9.61617227e-3f;
  p = p * f + 5.55037529e-2f;
  p = p * f + 2.40226512e-1f;
  p = p * f + 6.93147182e-1f;
  p = p * f + 1.f;
  return reciprocal(1.f + timesPowerOfTwo(p, n));
}
FERKIT_INLINE vec fastSwish(vec x) { return x * fastSigmoid(x); }

/** Applies swish to a tile that was stored. */
inline void applySwish(const ProductTile& tile, int64_t numRows, int64_t numVectors) {
  for (int64_t r = 0; r < numRows; ++r)
    for (int64_t v = 0; v < numVectors; ++v) {
      float* p = tile.rows[r] + v * tile.vectorStride;
      store(p, fastSwish(load(p)));
    }
}

/**
 * Multiplies rows with one panel, tile by tile.
 *
 * @param target - `target(row, i)` returns where row `row`, the tile's i-th, goes.
 * @param finish - `finish(row, numRows)` runs after each tile.
 */
template <class Target, class Finish>
FERKIT_INLINE void multiplyPanel(const PackedProduct& product, const PanelSplit& panels, int64_t panel, int64_t numRows,
                                 const Element* a, int64_t aStride, Activation activation, int64_t vectorStride, Target target,
                                 Finish finish) {
  const int64_t first = panels.begin(panel), numVectors = panels.begin(panel + 1) - first;
  const int64_t length = packedLength(product.numIn);
  ProductTile tile;
  tile.aStride = aStride;
  tile.numSegments = 1;
  tile.segmentStride = 0;
  tile.length = length;
  tile.panel = static_cast<const Element*>(product.panels) + first * kLanes * length;
  tile.shift = product.shift + first * kLanes;
  tile.vectorStride = vectorStride;
  setLimits(tile, activation);
  for (int64_t row = 0; row < numRows;) {
    const int64_t count = tileRows(numRows - row);
    tile.a = a + row * aStride;
    for (int64_t i = 0; i < count; ++i) tile.rows[i] = target(row + i, i);
    kMultiplyTile[count - 1][numVectors - 1](tile);
    if (activation == kSwish) applySwish(tile, count, numVectors);
    finish(row, count);
    row += count;
  }
}

int64_t packedSize(int64_t numIn, int64_t numOut) { return packedLength(numIn) * roundUp(numOut, kLanes) * sizeof(Element); }
int64_t numPanels(int64_t numOut) { return PanelSplit(numOut).count; }
int64_t panelBegin(int64_t numOut, int64_t panel) { return PanelSplit(numOut).begin(panel) * kLanes; }

void pack(int64_t numIn, int64_t numOut, const float* matrix, const float* scale, void* packed) {
  const PanelSplit panels(numOut);
  Element* target = static_cast<Element*>(packed);
  for (int64_t panel = 0; panel < panels.count; ++panel) {
    const int64_t first = panels.begin(panel) * kLanes, end = panels.begin(panel + 1) * kLanes;
    for (int64_t k = 0; k < packedLength(numIn); k += kElementsAtOnce)
      for (int64_t c = first; c < end; ++c)
        for (int64_t i = k; i < k + kElementsAtOnce; ++i)
          *target++ = i < numIn && c < numOut ? toElement(matrix[i * numOut + c] * (scale ? scale[c] : 1.f)) : Element{};
  }
}

}  // namespace
}  // namespace ferkit
