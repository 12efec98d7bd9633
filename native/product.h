// Matrix products of packed rows, tile by tile in registers; an epilogue finishes each tile there.
//
// After Goto & van de Geijn 2008, https://doi.org/10.1145/1356052.1356053: one operand in panels, the other in blocks of rows that
// stay in the second-level cache.
#pragma once
#include "sums.h"

namespace ferkit {
namespace {

/** Rows of a tile. With the panel's vectors, its sums leave just enough registers for the operands. */
constexpr int kTileRows = kNumRegisters == 32 ? 8 : 4;
constexpr int kPanelVectors = 3;
constexpr int64_t kPanelWidth = kPanelVectors * kLanes;
/** Rows packed at once. */
constexpr int64_t kBlockRows = 96;

/** An operand's strides: from row to row of the tile, and along the sum. */
struct Strides {
  int64_t row, step;
};

/** Sets sums[r][v] = Σᵢ a[r·row + i·step] · b[i·bStep + v]. */
template <int V>
FERKIT_INLINE void multiplyTile(const float* a, Strides strides, const float* b, int64_t bStep, int64_t length,
                                vec (&sums)[kTileRows][V]) {
  vec s[kTileRows][V] = {};
  for (int64_t i = 0; i < length; ++i) {
    vec operand[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) operand[v] = load(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const vec factor = splat(a[r * strides.row]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) s[r][v] += factor * operand[v];
    }
    a += strides.step;
    b += bStep;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sums[r][v] = s[r][v];
}

/** Calls `run(c, vectors)` for panels [begin, end) of `numColumns` columns, with each one's first column and constant width. */
template <class Run>
FERKIT_INLINE void forEachPanel(int64_t numColumns, int64_t begin, int64_t end, Run run) {
  for (int64_t c = begin * kPanelWidth; c < min(numColumns, end * kPanelWidth); c += kPanelWidth) {
    const int64_t left = numColumns - c;
    if (left > 2 * kLanes)
      run(c, IntConstant<3>());
    else if (left > kLanes)
      run(c, IntConstant<2>());
    else
      run(c, IntConstant<1>());
  }
}

/** A matrix [numRows, numColumns] as panels [numColumns / kPanelWidth][numRows][kPanelWidth]; the last is as narrow as possible. */
struct Panels {
  float* data;
  int64_t numRows, numColumns;
  /** Whether `data` is the dense matrix itself, of whole vectors. */
  bool isDense = false;

  static int64_t size(int64_t numRows, int64_t numColumns) { return numRows * roundUp(numColumns, kLanes); }
  int64_t count() const { return ceilDivide(numColumns, kPanelWidth); }
  /** Returns the width of the panel with column c. */
  FERKIT_INLINE int64_t width(int64_t c) const { return min(kPanelWidth, roundUp(numColumns, kLanes) - c); }
  FERKIT_INLINE float* at(int64_t c) const { return data + (isDense ? c : c * numRows); }
  FERKIT_INLINE int64_t rowStep(int64_t c) const { return isDense ? numColumns : width(c); }

  /** Packs panel i from a dense matrix. */
  void pack(int64_t i, const float* values) const {
    const int64_t c = i * kPanelWidth, panelWidth = width(c);
    float* target = at(c);
    for (int64_t r = 0; r < numRows; ++r, target += panelWidth)
      for (int64_t v = 0; v < panelWidth; v += kLanes)
        *reinterpret_cast<vec*>(target + v) = load(values + r * numColumns + c + v, numColumns - c - v);
  }

  /** Packs panel i from a dense matrix [numColumns, numRows]. */
  void packTransposed(int64_t i, const float* values) const {
    const int64_t c = i * kPanelWidth, panelWidth = width(c);
    for (int64_t v = 0; v < panelWidth; v += kLanes)
      for (int64_t r = 0; r < numRows; r += kLanes) {
        vec block[kLanes];
        for (int j = 0; j < kLanes; ++j) {
          const int64_t column = c + v + j;
          block[j] = column < numColumns ? load(values + column * numRows + r, numRows - r) : vec{};
        }
        transpose(block);
        const int64_t rows = min(kLanes, numRows - r);
        for (int64_t j = 0; j < rows; ++j) *reinterpret_cast<vec*>(at(c) + (r + j) * panelWidth + v) = block[j];
      }
  }

 private:
  static FERKIT_INLINE void transpose(vec (&block)[kLanes]) {
    // Each round moves the highest bit of a number's column to the end of its row's bits, and the other way round.
#pragma GCC unroll 4
    for (int round = 1; round < kLanes; round *= 2) {
      vec next[kLanes];
#pragma GCC unroll 8
      for (int i = 0; i < kLanes / 2; ++i) {
        next[2 * i] = interleaveLow(block[i], block[i + kLanes / 2]);
        next[2 * i + 1] = interleaveHigh(block[i], block[i + kLanes / 2]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) block[i] = next[i];
    }
  }
};

/**
 * Multiplies packed rows with panels [begin, end) and passes each tile to the epilogue.
 *
 * @param packed - [numRows rounded up to a whole tile][rowStride(panels.numRows)].
 */
template <class Epilogue>
FERKIT_INLINE void multiplyRows(const float* packed, int64_t row, int64_t numRows, const Panels& panels,
                                int64_t begin, int64_t end, const Epilogue& epilogue) {
  const int64_t length = panels.numRows, stride = rowStride(length);
  forEachPanel(panels.numColumns, begin, end, [&](int64_t c, auto vectors) {
    constexpr int V = vectors.value;
    auto columns = epilogue.template columns<V>(c);
    for (int64_t r = 0; r < numRows; r += kTileRows) {
      vec tile[kTileRows][V];
      multiplyTile<V>(packed + r * stride, {stride, 1}, panels.at(c), panels.rowStep(c), length, tile);
      const int64_t tileRows = min(kTileRows, numRows - r);
      for (int64_t i = 0; i < tileRows; ++i) columns.row(row + r + i, tile[i]);
    }
    columns.flush();
  });
}

/** Adds the product of packed x, transposed, and packed dy to dKernel [xColumns, dyColumns]; the first product sets it. */
FERKIT_INLINE void multiplyTransposed(const float* x, int64_t xColumns, const float* dy, int64_t dyColumns, int64_t numRows,
                                      bool isFirst, float* dKernel) {
  const int64_t xStride = rowStride(xColumns), dyStride = rowStride(dyColumns);
  forEachPanel(dyColumns, 0, ceilDivide(dyColumns, kPanelWidth), [&](int64_t c, auto vectors) {
    constexpr int V = vectors.value;
    for (int64_t k = 0; k < xColumns; k += kTileRows) {
      vec tile[kTileRows][V];
      multiplyTile<V>(x + k, {1, xStride}, dy + c, dyStride, numRows, tile);
      const int64_t tileRows = min(kTileRows, xColumns - k);
      for (int64_t i = 0; i < tileRows; ++i)
        for (int v = 0; v < V; ++v) {
          float* target = dKernel + (k + i) * dyColumns + c + v * kLanes;
          const int64_t count = dyColumns - c - v * kLanes;
          store(target, isFirst ? tile[i][v] : load(target, count) + tile[i][v], count);
        }
    }
  });
}

}  // namespace
}  // namespace ferkit
