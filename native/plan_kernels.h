// The interface between plans (plan.h) and their kernels, which plan_kernels.cc compiles once for each instruction set and precision.
//
// Activations are rows of channels, one row a pixel, padded to whole vectors. Their type, the kernels' element, is float32 or bfloat16.
// Sums are float32 in both.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace ferkit {

/** A dense layer, 1×1 convolution or stem with its norm folded in: rows times a packed matrix [numIn, numOut], plus `shift`. */
struct PackedProduct {
  int64_t numIn, numOut;
  const void* panels;
  const float* shift;
};

/** A depthwise convolution with its norm folded in; taps are [vectors of channels][kernelSize²][lanes]. */
struct PackedDepthwise {
  int64_t channels, kernelSize, stride;
  const float *taps, *shift;
};

/** Rows of elements, `stride` elements apart. */
struct PlanRows {
  void* data;
  int64_t stride;
};

/** Images [height, width, 3] of pixels of 0–255, as bytes or floats. */
struct PlanImages {
  const void* pixels;
  bool areFloats;
  int64_t height, width;
  /** A pixel becomes scale·x + shift, by channel. */
  float scale[3], shift[3];
};

/** Source of a depthwise convolution's input: rows as they are, rows expanded by a 1×1 convolution, or images by the stem. */
struct PlanSource {
  enum Kind { kRows, kExpansion, kStem } kind;
  /** From the tile's first image on. */
  PlanRows rows;
  PlanImages images;
  /** The expansion or the stem. */
  PackedProduct product;
};

/** Output rows [begin, end) of a depthwise convolution, of one image, or all rows of several images. */
struct PlanTile {
  int64_t numImages, begin, end, inHeight, inWidth, outHeight, outWidth;
  Padding padding;
  int64_t numPixels() const { return numImages * (end - begin) * outWidth; }
};

/** Each function of channels works on those of panels [begin, end), so that threads can share them. */
struct PlanKernels {
  int64_t lanes, elementSize;
  /** Bytes of a packed matrix [numIn, numOut], and the number of panels of its columns. */
  int64_t (*packedSize)(int64_t numIn, int64_t numOut);
  int64_t (*numPanels)(int64_t numOut);
  /** First column of a panel. */
  int64_t (*panelBegin)(int64_t numOut, int64_t panel);
  /** Packs a matrix [numIn, numOut] whose columns are multiplied by `scale`; null = 1. */
  void (*pack)(int64_t numIn, int64_t numOut, const float* matrix, const float* scale, void* packed);
  /** Numbers of a row of three pixels as the stem reads them; those beyond 9 must have weight 0. */
  int64_t stemRowLength;
  /** Floats of scratch memory that `expandDepthwise` needs. */
  int64_t (*scratchSize)(const PlanTile&, const PlanSource&, const PackedDepthwise&);
  /** Computes source, depthwise convolution and their activations; adds each image's sums to `sums` [numImages, result.stride]. */
  void (*expandDepthwise)(const PlanTile&, const PlanSource&, const PackedDepthwise&, Activation, int64_t begin, int64_t end,
                          float* scratch, const PlanRows& result, float* sums);
  /** Computes result = rows · matrix + shift + residual; residual.data may be null. */
  void (*project)(const PackedProduct&, int64_t numRows, const PlanRows& rows, const PlanRows& residual, int64_t begin, int64_t end,
                  const PlanRows& result);
  /** Computes activation(rows · matrix + shift) and its mean over each image's `area` rows; `features` [rows, numOut] may be null. */
  void (*meanOfProduct)(const PackedProduct&, Activation, int64_t numImages, int64_t area, const PlanRows& rows, int64_t begin,
                        int64_t end, float* features, const PlanRows& means);
  /** Computes result = rows · matrix + shift, float32 [numRows, numOut]. */
  void (*dense)(const PackedProduct&, int64_t numRows, const PlanRows& rows, float* result);
  /** Squeeze-and-excite: turns sums over `area` pixels into gates, `gates` [numImages, stride] in float32. */
  void (*excite)(const PackedProduct& reduce, const PackedProduct& expand, int64_t numImages, int64_t area, const float* sums,
                 int64_t stride, int64_t begin, int64_t end, float* scratch, float* gates);
  /** Multiplies channels of all rows of an image by its gate. */
  void (*applyGates)(int64_t numRows, int64_t begin, int64_t end, int64_t numChannels, const float* gates, const PlanRows& rows);
};

/** Those of each instruction set; only those of the machine's architecture are compiled. */
extern const PlanKernels planAvx2, planAvx512, planAvx512Bfloat16, planNeon;

}  // namespace ferkit
