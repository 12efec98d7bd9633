// The kernels of inference plans: products, and blocks of expansion and depthwise convolution.
#include "checks.h"

namespace ferkit {
namespace {

/** Rows of elements in the layout of plans: float32, or the upper halves of float32, padded with zeros to whole vectors. */
class Rows {
 public:
  Rows(const PlanKernels& kernels, int64_t numRows, int64_t numColumns, const Floats& values = {})
      : elementSize_(kernels.elementSize),
        numRows_(numRows),
        numColumns_(numColumns),
        stride_((numColumns + kernels.lanes - 1) / kernels.lanes * kernels.lanes),
        // Steps of products may read beyond the last row.
        data_((numRows * stride_ + 4 * kernels.lanes) * 4) {
    for (size_t i = 0; i < values.size(); ++i) set(i / numColumns, i % numColumns, values[i]);
  }
  PlanRows rows() { return {data_.data(), stride_}; }
  int64_t stride() const { return stride_; }
  Floats values() const {
    Floats result;
    for (int64_t i = 0; i < numRows_ * numColumns_; ++i) {
      const int64_t index = i / numColumns_ * stride_ + i % numColumns_;
      uint32_t bits = 0;
      std::memcpy((char*)&bits + 4 - elementSize_, data_.data() + index * elementSize_, elementSize_);
      result.emplace_back();
      std::memcpy(&result.back(), &bits, 4);
    }
    return result;
  }

 private:
  void set(int64_t row, int64_t column, float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    if (elementSize_ == 2) bits += 0x8000;  // to the nearest
    std::memcpy(data_.data() + (row * stride_ + column) * elementSize_, (char*)&bits + 4 - elementSize_, elementSize_);
  }
  int64_t elementSize_, numRows_, numColumns_, stride_;
  std::vector<char> data_;
};

/** A packed matrix and its shift, padded as plan.cc pads it. */
struct Product {
  Floats matrix, shift;
  std::vector<char> panels;
  PackedProduct packed;
  Product(const PlanKernels& kernels, int64_t numIn, int64_t numOut, Floats values)
      : matrix(std::move(values)), shift(randoms(numOut)), panels(kernels.packedSize(numIn, numOut) + 256) {
    char* const aligned = panels.data() + (64 - (uintptr_t)panels.data() % 64) % 64;
    kernels.pack(numIn, numOut, matrix.data(), nullptr, aligned);
    shift.resize(numOut + kernels.lanes);
    packed = {numIn, numOut, aligned, shift.data()};
  }
  /** Computes activation(rows · matrix + shift). */
  Numbers apply(const Numbers& rows, Activation activation) const {
    const int64_t numIn = packed.numIn, numOut = packed.numOut, numRows = (int64_t)rows.size() / numIn;
    Numbers result(numRows * numOut);
    for (int64_t i = 0; i < numRows * numOut; ++i) {
      double sum = shift[i % numOut];
      for (int64_t k = 0; k < numIn; ++k) sum += rows[i / numOut * numIn + k] * matrix[k * numOut + i % numOut];
      result[i] = reference::activate(sum, activation);
    }
    return result;
  }
};

void testProducts(const PlanKernels& kernels, double tolerance, int64_t numIn, int64_t numOut) {
  const int64_t numImages = 2, area = 7, numRows = numImages * area;
  const std::string name = std::to_string(numIn) + " -> " + std::to_string(numOut);
  const Floats values = randoms(numRows * numIn), residuals = randoms(numRows * numOut);
  Rows rows(kernels, numRows, numIn, values), residual(kernels, numRows, numOut, residuals), result(kernels, numRows, numOut);
  const Product product(kernels, numIn, numOut, randoms(numIn * numOut));
  const int64_t numPanels = kernels.numPanels(numOut);
  Numbers sums = product.apply(exact(values), kLinear);

  Floats dense(numRows * numOut);
  kernels.dense(product.packed, numRows, rows.rows(), dense.data());
  expect("dense " + name, dense.data(), sums, tolerance);

  for (const Activation activation : {kRelu6, kSwish}) {
    Rows means(kernels, numImages, numOut);
    Floats features(numRows * numOut);
    kernels.meanOfProduct(product.packed, activation, numImages, area, rows.rows(), 0, numPanels, features.data(), means.rows());
    const Numbers active = product.apply(exact(values), activation);
    Numbers expected(numImages * numOut);
    for (size_t i = 0; i < active.size(); ++i) expected[i / (area * numOut) * numOut + i % numOut] += active[i] / area;
    expect("product " + name, features.data(), active, tolerance);
    expect("mean of a product " + name, means.values().data(), expected, tolerance);
  }

  // Panels by two threads.
  kernels.project(product.packed, numRows, rows.rows(), residual.rows(), 0, numPanels / 2, result.rows());
  kernels.project(product.packed, numRows, rows.rows(), residual.rows(), numPanels / 2, numPanels, result.rows());
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += residuals[i];
  expect("project " + name, result.values().data(), sums, tolerance);
}

void testExcite(const PlanKernels& kernels, double tolerance, int64_t channels, int64_t numReduced) {
  const int64_t numImages = 2, area = 3;
  const Product reduce(kernels, channels, numReduced, randoms(channels * numReduced));
  const Product expand(kernels, numReduced, channels, randoms(numReduced * channels));
  const Floats values = randoms(numImages * area * channels);
  Rows rows(kernels, numImages * area, channels, values);
  const int64_t stride = rows.stride();
  Floats sums(numImages * stride + 64), scratch(numImages * stride * 2 + 64), gates(numImages * stride + 64);
  Numbers means(numImages * channels), expected(values.size());
  for (int64_t i = 0; i < (int64_t)values.size(); ++i) {
    sums[i / (area * channels) * stride + i % channels] += values[i];
    means[i / (area * channels) * channels + i % channels] += values[i] / area;
  }
  kernels.excite(reduce.packed, expand.packed, numImages, area, sums.data(), stride, 0, kernels.numPanels(channels), scratch.data(),
                 gates.data());
  const Numbers logits = expand.apply(reduce.apply(means, kSwish), kLinear);
  for (int64_t n = 0; n < numImages; ++n)
    kernels.applyGates(area, 0, kernels.numPanels(channels), channels, gates.data() + n * stride,
                       {(char*)rows.rows().data + n * area * stride * kernels.elementSize, stride});
  for (int64_t i = 0; i < (int64_t)values.size(); ++i)
    expected[i] = values[i] / (1 + std::exp(-logits[i / (area * channels) * channels + i % channels]));
  expect("gates of " + std::to_string(channels) + " channels", rows.values().data(), expected, tolerance);
}

/** A block's first half: rows as they are, expanded rows or an image, then a depthwise convolution, in two tiles. */
void testDepthwise(const PlanKernels& kernels, double tolerance, PlanSource::Kind kind, const Geometry& g, Activation activation) {
  const auto& [in, out, k, stride, padding] = g;
  const int64_t numImages = in.batch, numIn = kind == PlanSource::kStem ? 3 * kernels.stemRowLength : 6, channels = in.channels;
  const Geometry stem{{numImages, 2 * in.height, 2 * in.width, 3}, in, 3, 2, padding};
  const Floats stemKernel = randoms(27 * channels);
  Floats matrix = randoms(numIn * channels);
  if (kind == PlanSource::kStem) {
    matrix.assign(matrix.size(), 0);
    for (int64_t i = 0; i < 27 * channels; ++i) matrix[(i / (9 * channels) * (kernels.stemRowLength - 9)) * channels + i] = stemKernel[i];
  }
  const Product product(kernels, numIn, channels, matrix);
  const int64_t numColumns = kind == PlanSource::kExpansion ? numIn : channels;
  const Floats values = randoms(in.pixels() * numColumns);
  std::vector<uint8_t> pixels;
  for (const float x : randoms(stem.in.pixels() * 3, 0, 255.9f)) pixels.push_back((uint8_t)x);
  Rows rows(kernels, in.pixels(), numColumns, values), result(kernels, out.pixels(), channels);

  Numbers expanded = exact(values);
  const PlanImages images{pixels.data(), false, stem.in.height, stem.in.width, {1 / 127.5f, 1 / 120.f, 1 / 130.f}, {-1, -0.9f, -1.1f}};
  if (kind == PlanSource::kExpansion) expanded = product.apply(expanded, activation);
  if (kind == PlanSource::kStem) {
    Numbers scaled;
    for (size_t i = 0; i < pixels.size(); ++i) scaled.push_back(pixels[i] * (double)images.scale[i % 3] + images.shift[i % 3]);
    expanded = reference::convolve(stem, false, scaled, exact(stemKernel));
    for (size_t i = 0; i < expanded.size(); ++i)
      expanded[i] = reference::activate(expanded[i] + product.shift[i % channels], activation);
  }

  const int64_t lanes = kernels.lanes, padded = result.stride();
  const Floats filter = randoms(k * k * channels);
  Floats shift = randoms(channels), taps(k * k * padded), sums(numImages * padded);
  shift.resize(padded);
  for (int64_t i = 0; i < k * k * channels; ++i)
    taps[(i % channels / lanes * k * k + i / channels) * lanes + i % channels % lanes] = filter[i];
  const PackedDepthwise packed{channels, k, stride, taps.data(), shift.data()};
  const bool isWhole = numImages > 1;  // several images only with all of their rows
  for (int64_t half = 0; half < (isWhole ? 1 : 2); ++half) {
    const int64_t begin = half * (out.height / 2), end = half == 0 && !isWhole ? out.height / 2 : out.height;
    const PlanTile tile{numImages, begin, end, in.height, in.width, out.height, out.width, padding};
    const PlanSource source{kind, rows.rows(), images, product.packed};
    std::vector<float> memory(kernels.scratchSize(tile, source, packed) + 32);
    float* const scratch = memory.data() + (64 - (uintptr_t)memory.data() % 64) % 64 / 4;
    const PlanRows target{(char*)result.rows().data + begin * out.width * padded * kernels.elementSize, padded};
    kernels.expandDepthwise(tile, source, packed, activation, 0, kernels.numPanels(channels), scratch, target, sums.data());
  }
  Numbers expected = reference::convolve(g, true, expanded, exact(filter)), expectedSums(numImages * channels);
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = reference::activate(expected[i] + shift[i % channels], activation);
    expectedSums[i / (out.area() * channels) * channels + i % channels] += expected[i];
  }
  const char* const kinds[] = {"rows", "expansion", "stem"};
  const std::string name = std::string(kinds[kind]) + " and depthwise " + std::to_string(k) + "x" + std::to_string(k) + "/" +
                           std::to_string(stride) + " of " + std::to_string(in.height) + "x" + std::to_string(in.width) + "x" +
                           std::to_string(channels);
  expect(name, result.values().data(), expected, tolerance);
  Floats foundSums;
  for (int64_t i = 0; i < numImages * channels; ++i) foundSums.push_back(sums[i / channels * padded + i % channels]);
  expect(name + ", sums", foundSums.data(), expectedSums, tolerance);
}

}  // namespace

void testPlans(const PlanKernels& kernels, double tolerance) {
  testProducts(kernels, tolerance, 16, 48);
  testProducts(kernels, tolerance, 7, 29);
  testProducts(kernels, tolerance, 40, 130);
  testExcite(kernels, tolerance, 27, 4);
  for (const Activation activation : {kRelu6, kSwish})
    for (const PlanSource::Kind kind : {PlanSource::kRows, PlanSource::kExpansion, PlanSource::kStem})
      for (const int64_t k : {3, 5}) {
        const int64_t batch = kind == PlanSource::kStem ? 1 : 2;  // the stem reads one image at a time
        testDepthwise(kernels, tolerance, kind, {{batch, 6, 6, 21}, {batch, 6, 6, 21}, k, 1, kSame}, activation);
        testDepthwise(kernels, tolerance, kind, {{1, 13, 12, 37}, {1, 13, 12, 37}, k, 1, kSame}, activation);
        testDepthwise(kernels, tolerance, kind, {{1, 12, 11, 16}, {1, 6, 6, 16}, k, 2, kSymmetric}, activation);
      }
  for (const int64_t side : {2, 7, 8, 9}) testDepthwise(kernels, tolerance, PlanSource::kRows, {{2, side, side, 5}, {2, side, side, 5}, 3, 1, kSame}, kRelu6);
}

}  // namespace ferkit
