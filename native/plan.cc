#include "plan.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

namespace ferkit {
namespace {

constexpr int64_t kCacheLine = 64, kLargePage = 2 << 20;
constexpr int64_t kMaxChannels = 1 << 16, kMaxBlocks = 1000, kMaxExpandRatio = 16;

int64_t roundUp(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

}  // namespace

char* AlignedMemory::reserve(int64_t numBytes) {
  if (numBytes > size_) {
    const bool isLarge = numBytes >= kLargePage / 4;
    data_.reset();
    size_ = 0;
    const int64_t size = roundUp(numBytes, isLarge ? kLargePage : kCacheLine);
    data_.reset(static_cast<char*>(aligned_alloc(isLarge ? kLargePage : kCacheLine, size)));
    if (!data_) throw std::bad_alloc();
    size_ = size;
#ifdef MADV_HUGEPAGE  // Linux only
    if (isLarge) madvise(data(), size_, MADV_HUGEPAGE);
#endif
  }
  return data();
}

float* Arena::take(int64_t count) {
  /** Bytes of a piece, unless more are asked for at once. What is never written to takes no memory. */
  constexpr int64_t kPieceSize = 256 << 20;
  auto& [piece, used] = mark_;
  const int64_t numBytes = roundUp(count * sizeof(float), kCacheLine);
  while (piece < pieces_.size() && used + numBytes > pieces_[piece].size()) {
    ++piece;
    used = 0;
  }
  if (piece == pieces_.size()) pieces_.emplace_back().reserve(std::max(numBytes, kPieceSize));
  used += numBytes;
  return reinterpret_cast<float*>(pieces_[piece].data() + used - numBytes);
}

std::string NetworkDescription::problem() const {
  const auto areChannels = [](int64_t n) { return n > 0 && n <= kMaxChannels; };
  if (padding != kSame && padding != kSymmetric && padding != kEven) return "expected padding 0, 1 or 2";
  if (activation != kRelu6 && activation != kSwish) return "expected activation 1 or 2";
  if (!areChannels(stemFilters) || !areChannels(topFilters) || !areChannels(numClasses)) return "expected 1 to 65536 filters and classes";
  if (blocks.empty() || (int64_t)blocks.size() > kMaxBlocks) return "expected 1 to 1000 blocks";
  int64_t filtersBefore = stemFilters;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto& [kernelSize, stride, numIn, numOut, expandRatio, numReduced, hasResidual] = blocks[i];
    const std::string name = "block " + std::to_string(i) + ": expected ";
    if (kernelSize != 3 && kernelSize != 5) return name + "kernelSize 3 or 5";
    if (stride != 1 && stride != 2) return name + "stride 1 or 2";
    if (numIn != filtersBefore) return name + std::to_string(filtersBefore) + " input channels";
    if (!areChannels(numOut)) return name + "1 to 65536 filters";
    if (expandRatio < 1 || expandRatio > kMaxExpandRatio) return name + "expandRatio of 1 to 16";
    if (i == 0 && expandRatio != 1) return name + "expandRatio 1";
    if (numReduced < 0 || numReduced > numIn * expandRatio) return name + "a bottleneck of at most as many channels as the block has";
    if (hasResidual && (stride != 1 || numOut != numIn)) return name + "equal shapes on both sides of the residual";
    filtersBefore = numOut;
  }
  return "";
}

std::vector<int64_t> NetworkDescription::weightLengths() const {
  std::vector<int64_t> lengths;
  const auto add = [&](std::initializer_list<int64_t> more) { lengths.insert(lengths.end(), more); };
  const auto addConvolution = [&](int64_t kernelLength, int64_t numOut) { add({kernelLength, numOut, numOut, numOut, numOut}); };
  addConvolution(27 * stemFilters, stemFilters);
  for (const BlockDescription& block : blocks) {
    const int64_t channels = block.numExpanded(), bottleneck = channels * block.numReduced;
    if (block.expandRatio > 1) addConvolution(block.numIn * channels, channels);
    addConvolution(block.kernelSize * block.kernelSize * channels, channels);
    if (block.numReduced) add({bottleneck, block.numReduced, bottleneck, channels});
    addConvolution(channels * block.numOut, block.numOut);
  }
  addConvolution(blocks.back().numOut * topFilters, topFilters);
  add({topFilters * numClasses, numClasses});
  return lengths;
}

int64_t NetworkDescription::featureSide(int64_t side) const {
  side = strided(side, 2);
  for (const BlockDescription& block : blocks) side = strided(side, block.stride);
  return side;
}

/** Walks over the layers twice: first to sum their sizes, then to pack their weights. */
class PlanPacker {
 public:
  PlanPacker(Plan& plan, const std::vector<const float*>& weights) : plan_(plan), kernels_(plan.kernels_), weights_(weights) {
    packNetwork();
    plan.weights_.reserve(size_);
    isPacking_ = true;
    size_ = 0;
    next_ = 0;
    packNetwork();
  }

 private:
  void packNetwork() {
    const NetworkDescription& network = plan_.description_;
    plan_.blocks_.clear();
    plan_.stem_ = stem(network.stemFilters);
    for (const BlockDescription& shape : network.blocks) {
      Plan::Block block{shape};
      const int64_t channels = shape.numExpanded();
      if (shape.expandRatio > 1) block.expand = convolution(shape.numIn, channels);
      block.depthwise = depthwise(channels, shape.kernelSize, shape.stride);
      if (shape.numReduced) {
        block.reduce = dense(channels, shape.numReduced);
        block.excite = dense(shape.numReduced, channels);
      }
      block.project = convolution(channels, shape.numOut);
      plan_.blocks_.push_back(block);
    }
    plan_.top_ = convolution(network.blocks.back().numOut, network.topFilters);
    plan_.predictions_ = dense(network.topFilters, network.numClasses);
  }

  const float* take() { return weights_[next_++]; }

  char* allocate(int64_t numBytes) {
    char* const result = plan_.weights_.data() + size_;
    size_ += roundUp(numBytes, kCacheLine);
    return result;
  }

  /** Copies values, with zeros up to a whole vector. */
  const float* copy(const float* values, int64_t count) {
    const int64_t padded = roundUp(count, kernels_.lanes);
    float* const target = reinterpret_cast<float*>(allocate(padded * sizeof(float)));
    if (isPacking_) std::fill(std::copy_n(values, count, target), target + padded, 0.f);
    return target;
  }

  /** Batch norm by the moving statistics. Returns the shift; the scale is in `scale_`. */
  const float* fold(int64_t channels) {
    const float *gamma = take(), *beta = take(), *mean = take(), *variance = take();
    scale_.resize(channels);
    std::vector<float> shift(channels);
    for (int64_t c = 0; isPacking_ && c < channels; ++c) {
      scale_[c] = gamma[c] / std::sqrt(variance[c] + plan_.description_.epsilon);
      shift[c] = beta[c] - mean[c] * scale_[c];
    }
    return copy(shift.data(), channels);
  }

  const void* pack(int64_t numIn, int64_t numOut, const float* matrix, const float* scale) {
    char* const target = allocate(kernels_.packedSize(numIn, numOut));
    if (isPacking_) kernels_.pack(numIn, numOut, matrix, scale, target);
    return target;
  }

  PackedProduct convolution(int64_t numIn, int64_t numOut) {
    const float* const kernel = take();
    const float* const shift = fold(numOut);
    return {numIn, numOut, pack(numIn, numOut, kernel, scale_.data()), shift};
  }

  PackedProduct dense(int64_t numIn, int64_t numOut) {
    const float* const kernel = take();
    const float* const bias = take();
    return {numIn, numOut, pack(numIn, numOut, kernel, nullptr), copy(bias, numOut)};
  }

  PackedProduct stem(int64_t numOut) {
    const int64_t numIn = 3 * kernels_.stemRowLength;
    const float* const kernel = take();
    const float* const shift = fold(numOut);
    std::vector<float> padded(numIn * numOut);
    for (int64_t row = 0; isPacking_ && row < 3; ++row)
      std::copy_n(kernel + row * 9 * numOut, 9 * numOut, padded.data() + row * kernels_.stemRowLength * numOut);
    return {numIn, numOut, pack(numIn, numOut, padded.data(), scale_.data()), shift};
  }

  PackedDepthwise depthwise(int64_t channels, int64_t kernelSize, int64_t stride) {
    const int64_t numTaps = kernelSize * kernelSize, lanes = kernels_.lanes, padded = roundUp(channels, lanes);
    const float* const kernel = take();
    const float* const shift = fold(channels);
    float* const taps = reinterpret_cast<float*>(allocate(numTaps * padded * sizeof(float)));
    for (int64_t c = 0; isPacking_ && c < padded; ++c)
      for (int64_t tap = 0; tap < numTaps; ++tap)
        taps[(c / lanes * numTaps + tap) * lanes + c % lanes] = c < channels ? kernel[tap * channels + c] * scale_[c] : 0.f;
    return {channels, kernelSize, stride, taps, shift};
  }

  Plan& plan_;
  const PlanKernels& kernels_;
  const std::vector<const float*>& weights_;
  bool isPacking_ = false;
  int64_t size_ = 0;
  size_t next_ = 0;
  std::vector<float> scale_;
};

Plan::Plan(const PlanKernels& kernels, const NetworkDescription& description, const std::vector<const float*>& weights)
    : kernels_(kernels), description_(description) {
  PlanPacker(*this, weights);
}

}  // namespace ferkit
