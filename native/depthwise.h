// Depthwise convolutions, one image and one vector of channels at a time. Pixels are copied into a zero-padded frame, so that taps
// need no bounds checks.
#pragma once
#include "sums.h"

namespace ferkit {
namespace {

/** Vectors of channels, [height, width]: an image and the zero padding that the kernel reaches. */
struct Frame {
  int64_t height, width;

  /** Frame of a convolution's input: output (y, x) reads rows and columns from y·stride, x·stride, kernelSize of each. */
  static Frame ofInput(const Geometry& geometry) {
    const Extent& out = geometry.out;
    const int64_t k = geometry.kernelSize, s = geometry.stride;
    return {(out.height - 1) * s + k, (out.width - 1) * s + k};
  }
  int64_t numFloats() const { return height * width * kLanes; }
};

FERKIT_INLINE void clear(vec* frame, int64_t count) {
  for (int64_t i = 0; i < count; ++i) frame[i] = vec{};
}

/** Calls `visit(pixel, position)` for each input pixel that the kernel reaches: its index in the image and in the frame. */
template <class Visit>
FERKIT_INLINE void forEachFramed(const Geometry& geometry, const Frame& frame, Visit visit) {
  const Extent& in = geometry.in;
  const int64_t top = paddingBefore(in.height, geometry.out.height, geometry);
  const int64_t left = paddingBefore(in.width, geometry.out.width, geometry);
  const int64_t height = min(in.height, frame.height - top), width = min(in.width, frame.width - left);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) visit(y * in.width + x, (y + top) * frame.width + x + left);
}

/** One image and the channels from c on. */
struct DepthwiseItem {
  int64_t image, c, count;
};

/** Calls `body(part, item)` for each vector of channels of each image; a part's items are in order. */
template <class Body>
FERKIT_INLINE void forEachItem(const Pool& pool, int parts, const Extent& extent, const Body& body) {
  const int64_t numVectors = ceilDivide(extent.channels, kLanes);
  parallel(pool, parts, [&](int part) {
    const Range range(extent.batch * numVectors, parts, part);
    for (int64_t i = range.begin; i < range.end; ++i) {
      const int64_t c = i % numVectors * kLanes;
      body(part, DepthwiseItem{i / numVectors, c, extent.channels - c});
    }
  });
}

FERKIT_INLINE int depthwiseParts(const Pool& pool, const Geometry& geometry) {
  const int64_t items = geometry.in.batch * ceilDivide(geometry.in.channels, kLanes);
  const int64_t work = items * geometry.out.area() * geometry.kernelSize * geometry.kernelSize;
  return (int)min(min(pool.numThreads, items), work / 10000 + 1);
}

template <int K>
FERKIT_INLINE void loadKernel(const float* kernel, int64_t channels, const DepthwiseItem& item, vec (&weights)[K * K]) {
  for (int i = 0; i < K * K; ++i) weights[i] = load(kernel + i * channels + item.c, item.count);
}

/** Sums the taps from `corner` of a frame on. */
template <int K>
FERKIT_INLINE vec sumTaps(const vec* corner, int64_t frameWidth, const vec (&weights)[K * K]) {
  vec sum{};
#pragma GCC unroll 5
  for (int ky = 0; ky < K; ++ky)
#pragma GCC unroll 5
    for (int kx = 0; kx < K; ++kx) sum += corner[ky * frameWidth + kx] * weights[ky * K + kx];
  return sum;
}

/** Copies the features, after norm and activation, into a frame. */
template <Activation kActivation>
FERKIT_INLINE void layOut(const Geometry& geometry, const Features& x, const DepthwiseItem& item, const Frame& frame, vec* framed) {
  const int64_t channels = geometry.in.channels;
  const float* image = x.values + item.image * geometry.in.area() * channels + item.c;
  clear(framed, frame.height * frame.width);
  if (!x.norm) {
    forEachFramed(geometry, frame, [&](int64_t pixel, int64_t position) { framed[position] = load(image + pixel * channels, item.count); });
    return;
  }
  const vec scale = load(x.norm + kScale * channels + item.c, item.count);
  const vec shift = load(x.norm + kShift * channels + item.c, item.count);
  forEachFramed(geometry, frame, [&](int64_t pixel, int64_t position) {
    framed[position] = activate<kActivation>(load(image + pixel * channels, item.count) * scale + shift);
  });
}

/** Stores results and takes batch norm's sums. */
struct DepthwiseBatchNorm {
  float* y;
  int64_t channels, area;
  const float* movingMean;
  const ChannelSums* sums;

  struct Item {
    float* y;
    int64_t channels, count;
    vec origin, offsets{}, squares{};
    FERKIT_INLINE void take(int64_t pixel, vec sum) {
      store(y + pixel * channels, sum, count);
      const vec offset = sum - origin;
      offsets += offset;
      squares += offset * offset;
    }
  };
  FERKIT_INLINE Item begin(const DepthwiseItem& item) const {
    return {y + item.image * area * channels + item.c, channels, item.count, load(movingMean + item.c, item.count)};
  }
  FERKIT_INLINE void end(const Item& state, int part, const DepthwiseItem& item) const {
    sums->add(part, item.c, state.offsets, state.squares);
  }
};

/** Applies batch norm by moving statistics, then the activation. */
template <Activation kActivation>
struct DepthwiseFinish {
  float* y;
  int64_t channels, area;
  Finish finish;

  struct Item {
    float* y;
    int64_t channels, count;
    vec scale, shift;
    FERKIT_INLINE void take(int64_t pixel, vec sum) {
      store(y + pixel * channels, activate<kActivation>(sum * scale + shift), count);
    }
  };
  FERKIT_INLINE Item begin(const DepthwiseItem& item) const {
    return {y + item.image * area * channels + item.c, channels, item.count, load(finish.scale + item.c, item.count),
            load(finish.shift + item.c, item.count)};
  }
  FERKIT_INLINE void end(const Item&, int, const DepthwiseItem&) const {}
};

/** Passes each result to the epilogue's item. */
template <int K, Activation kActivation, class Epilogue>
void convolveDepthwise(const Pool& pool, int parts, const Geometry& geometry, const Features& x, const float* kernel,
                       const Epilogue& epilogue) {
  const Extent& out = geometry.out;
  const Frame frame = Frame::ofInput(geometry);
  forEachItem(pool, parts, geometry.in, [&](int part, const DepthwiseItem& item) {
    vec* framed = reinterpret_cast<vec*>(scratch(kInputSlot, frame.numFloats()));
    layOut<kActivation>(geometry, x, item, frame, framed);
    vec weights[K * K];
    loadKernel<K>(kernel, out.channels, item, weights);
    auto state = epilogue.begin(item);
    for (int64_t oy = 0; oy < out.height; ++oy) {
      const vec* corner = framed + oy * geometry.stride * frame.width;
      for (int64_t ox = 0; ox < out.width; ++ox, corner += geometry.stride)
        state.take(oy * out.width + ox, sumTaps<K>(corner, frame.width, weights));
    }
    epilogue.end(state, part, item);
  });
}

/** Calls `run` with the kernel's size as a constant; EfficientNet uses these two. */
template <class Run>
FERKIT_INLINE void withKernelSize(int64_t kernelSize, Run run) {
  if (kernelSize == 3)
    run(IntConstant<3>());
  else
    run(IntConstant<5>());
}

void depthwise(const Pool& pool, const Geometry& geometry, const Features& x, const float* kernel, float* y,
               const BatchNorm& norm) {
  const Extent& out = geometry.out;
  const int parts = depthwiseParts(pool, geometry);
  const ChannelSums sums(parts, out.channels);
  const DepthwiseBatchNorm epilogue{y, out.channels, out.area(), norm.movingMean, &sums};
  withKernelSize(geometry.kernelSize, [&](auto k) {
    withActivation(x.activation, [&](auto activation) {
      convolveDepthwise<k.value, activation.value>(pool, parts, geometry, x, kernel, epilogue);
    });
  });
  finishBatchNorm(sums, out, norm);
}

void depthwiseInference(const Pool& pool, const Geometry& geometry, const Features& x, const float* kernel, float* y,
                     const Finish& finish) {
  const Extent& out = geometry.out;
  const int parts = depthwiseParts(pool, geometry);
  withKernelSize(geometry.kernelSize, [&](auto k) {
    withActivation(finish.activation, [&](auto activation) {
      const DepthwiseFinish<activation.value> epilogue{y, out.channels, out.area(), finish};
      convolveDepthwise<k.value, kLinear>(pool, parts, geometry, x, kernel, epilogue);
    });
  });
}

}  // namespace
}  // namespace ferkit
