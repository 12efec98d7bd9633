// A plan's layers other than depthwise convolutions: projections, squeeze-and-excite, the top and dense layers.
#pragma once
#include "plan_product.h"

namespace ferkit {
namespace {

/** A tile's results before they become elements. */
struct TileSums {
  float values[kMaxTileRows][kMaxVectors * kLanes] __attribute__((aligned(64)));
};

/** Multiplies rows with panels [begin, end); `finish(row, c, sums)` takes each vector of the result. */
template <class Finish>
FERKIT_INLINE void multiplyRows(const PackedProduct& product, int64_t numRows, const PlanRows& rows, Activation activation,
                                int64_t begin, int64_t end, Finish finish) {
  const PanelSplit panels(product.numOut);
  TileSums sums;
  for (int64_t panel = begin; panel < end; ++panel) {
    const int64_t first = panels.begin(panel), numVectors = panels.begin(panel + 1) - first;
    multiplyPanel(
        product, panels, panel, numRows, elements(rows), rows.stride, activation, kLanes,
        [&](int64_t, int64_t i) { return sums.values[i]; },
        [&](int64_t row, int64_t count) {
          for (int64_t r = 0; r < count; ++r)
            for (int64_t v = 0; v < numVectors; ++v)
              finish(row + r, (first + v) * kLanes, load(sums.values[r] + v * kLanes));
        });
  }
}

void project(const PackedProduct& product, int64_t numRows, const PlanRows& rows, const PlanRows& residual, int64_t begin,
             int64_t end, const PlanRows& result) {
  Element* target = elements(result);
  const Element* skip = elements(residual);
  multiplyRows(product, numRows, rows, kLinear, begin, end, [&](int64_t row, int64_t c, vec sum) {
    if (skip) sum += loadElements(skip + row * residual.stride + c);
    storeElements(target + row * result.stride + c, sum);
  });
}

void dense(const PackedProduct& product, int64_t numRows, const PlanRows& rows, float* result) {
  const int64_t numOut = product.numOut;
  multiplyRows(product, numRows, rows, kLinear, 0, numPanels(numOut),
               [&](int64_t row, int64_t c, vec sum) { store(result + row * numOut + c, sum, numOut - c); });
}

void meanOfProduct(const PackedProduct& product, Activation activation, int64_t numImages, int64_t area, const PlanRows& rows,
                   int64_t begin, int64_t end, float* features, const PlanRows& means) {
  const PanelSplit panels(product.numOut);
  for (int64_t panel = begin; panel < end; ++panel) {
    vec total[kMaxVectors] = {};
    int64_t image = 0, numLeft = area;
    multiplyRows(product, numImages * area, rows, activation, panel, panel + 1, [&](int64_t row, int64_t c, vec y) {
      if (features) store(features + row * product.numOut + c, y, product.numOut - c);
      const int64_t v = c / kLanes - panels.begin(panel);
      total[v] += y;
      const bool isLast = row + 1 == (image + 1) * area;
      if (!isLast) return;
      storeElements(elements(means) + image * means.stride + c, total[v] / splat((float)area));
      total[v] = vec{};
      if (c / kLanes + 1 == panels.begin(panel + 1)) ++image;
    });
  }
}

/** @param scratch - [numImages][stride + stride] elements: means, then what `reduce` makes of them. */
void excite(const PackedProduct& reduce, const PackedProduct& expand, int64_t numImages, int64_t area, const float* sums,
            int64_t stride, int64_t begin, int64_t end, float* scratch, float* gates) {
  Element* means = reinterpret_cast<Element*>(scratch);
  Element* reduced = means + numImages * stride;
  const vec share = splat(1.f / (float)area);
  for (int64_t i = 0; i < numImages * stride; i += kLanes) storeElements(means + i, load(sums + i) * share);
  multiplyRows(reduce, numImages, {means, stride}, kSwish, 0, numPanels(reduce.numOut),
               [&](int64_t row, int64_t c, vec y) { storeElements(reduced + row * stride + c, y); });
  multiplyRows(expand, numImages, {reduced, stride}, kLinear, begin, end,
               [&](int64_t row, int64_t c, vec y) { store(gates + row * stride + c, fastSigmoid(y)); });
}

void applyGates(int64_t numRows, int64_t begin, int64_t end, int64_t numChannels, const float* gates, const PlanRows& rows) {
  const PanelSplit panels(numChannels);
  const int64_t first = panels.begin(begin) * kLanes, last = panels.begin(end) * kLanes;
  Element* row = elements(rows);
  for (int64_t r = 0; r < numRows; ++r, row += rows.stride)
    for (int64_t c = first; c < last; c += kLanes) storeElements(row + c, loadElements(row + c) * load(gates + c));
}

}  // namespace
}  // namespace ferkit
