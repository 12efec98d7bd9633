// Augments a batch image by image: resize, transform, change the light, erase a rectangle. Results between the steps stay in the
// processor's cache; stock ops pass the whole batch through memory for each step.
#pragma once
#include "vector.h"

namespace ferkit {
namespace {

typedef quad unalignedQuad __attribute__((aligned(4), may_alias));

/** Reads and writes a pixel. RGB takes four floats; the last belongs to the next pixel. */
template <int kChannels>
struct Pixels;
template <>
struct Pixels<3> {
  typedef quad Pixel;
  static FERKIT_INLINE quad read(const float* p) { return *reinterpret_cast<const unalignedQuad*>(p); }
  static FERKIT_INLINE quad readLast(const float* p) { return loadThree(p); }
  static FERKIT_INLINE void write(float* p, quad pixel) { *reinterpret_cast<unalignedQuad*>(p) = pixel; }
};
template <>
struct Pixels<1> {
  typedef float Pixel;
  static FERKIT_INLINE float read(const float* p) { return *p; }
  static FERKIT_INLINE float readLast(const float* p) { return *p; }
  static FERKIT_INLINE void write(float* p, float pixel) { *p = pixel; }
};
/** Room for the extra float that writing the last RGB pixel needs. */
constexpr int64_t kSpill = 1;

template <class Pixel>
FERKIT_INLINE Pixel blend(Pixel a, Pixel b, float share) {
  return a + (b - a) * share;
}

/** Source of a resized pixel along one side: `share` of the way from one pixel to the next. */
struct Tap {
  int32_t from, to;
  float share;
};

inline void findTaps(int64_t in, int64_t out, Tap* taps) {
  const float scale = (float)in / (float)out;
  for (int64_t i = 0; i < out; ++i) {
    const float position = ((float)i + 0.5f) * scale - 0.5f, below = __builtin_floorf(position);
    const int64_t above = (int64_t)__builtin_ceilf(position);
    taps[i] = {(int32_t)max(0, (int64_t)below), (int32_t)min(in - 1, above), position - below};
  }
}

inline double sumOf(const float* values, int64_t length) {
  vec sums = splat(0.f);
  for (int64_t i = 0; i < length; i += kLanes) sums += load(values + i, length - i);
  double total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += sums[lane];
  return total;
}

/** An image with a frame of one colour, one pixel before it and two behind, which pixels outside the image are read from. */
struct Framed {
  float* values;
  int64_t height, width, channels;
  int64_t rowStride() const { return (width + 3) * channels; }
  int64_t numFloats() const { return (height + 3) * rowStride() + kSpill; }
  float* at(int64_t y, int64_t x) const { return values + (y + 1) * rowStride() + (x + 1) * channels; }
  /** Fills whole pixels with the frame's colour. */
  void fill(float* from, float* to, const float* colour) const {
    for (int64_t i = 0; from < to; ++i) *from++ = colour[i % channels];
  }
  double sum() const {
    double total = 0;
    for (int64_t y = 0; y < height; ++y) total += sumOf(at(y, 0), width * channels);
    return total;
  }
};

template <int kChannels>
void resizeInto(const Framed& framed, const float* image, const Augmentation& augmentation, const Tap* rows,
                const Tap* columns) {
  typedef Pixels<kChannels> P;
  const Extent& in = augmentation.in;
  const float* colour = augmentation.colour;
  const bool isSame = in.height == framed.height && in.width == framed.width;
  framed.fill(framed.values, framed.at(0, 0), colour);
  for (int64_t y = 0; y < framed.height; ++y) {
    float* target = framed.at(y, 0);
    const float* above = image + rows[y].from * in.width * kChannels;
    const float* below = image + rows[y].to * in.width * kChannels;
    if (isSame)
      __builtin_memcpy(target, above, in.width * kChannels * sizeof(float));
    else
      for (int64_t x = 0; x < framed.width; ++x, target += kChannels) {
        const auto [from, to, share] = columns[x];
        const auto top = blend(P::readLast(above + from * kChannels), P::readLast(above + to * kChannels), share);
        const auto bottom = blend(P::readLast(below + from * kChannels), P::readLast(below + to * kChannels), share);
        P::write(target, blend(top, bottom, rows[y].share));
      }
    framed.fill(framed.at(y, framed.width), framed.at(y + 1, 0), colour);
  }
  framed.fill(framed.at(framed.height, 0), framed.values + framed.numFloats(), colour);
}

/** Limits x to [low, high]; NaN gives low, since the result becomes a memory offset. */
FERKIT_INLINE float clamp(float x, float low, float high) { return x > low ? (x < high ? x : high) : low; }

/** Limits a coordinate to the image and its border. Reflection repeats the edge pixels: b a | a b c | c b. */
FERKIT_INLINE float inside(float x, float length, Border border) {
  if (border == Border::kColour) return clamp(x, -1.f, length);
  if (border == Border::kReflect) {
    x -= 2.f * length * __builtin_floorf(x / (2.f * length));
    if (x >= length) x = 2.f * length - 1.f - x;
  }
  return clamp(x, 0.f, length - 1.f);
}

/** @param result - [height, width, channels], plus kSpill floats. */
template <int kChannels>
void moveFrom(const Framed& framed, const float* transform, Border border, float* result) {
  typedef Pixels<kChannels> P;
  const int64_t rowStride = framed.rowStride();
  for (int64_t row = 0; row < framed.height; ++row)
    for (int64_t column = 0; column < framed.width; ++column, result += kChannels) {
      const float x = transform[0] * (float)column + (transform[1] * (float)row + transform[2]);
      const float y = transform[3] * (float)column + (transform[4] * (float)row + transform[5]);
      const float insideX = inside(x, (float)framed.width, border), insideY = inside(y, (float)framed.height, border);
      const float left = __builtin_floorf(insideX), top = __builtin_floorf(insideY);
      const float* p = framed.at((int32_t)top, (int32_t)left);
      const float shareX = insideX - left;
      const auto above = blend(P::read(p), P::read(p + kChannels), shareX);
      const auto below = blend(P::read(p + rowStride), P::read(p + rowStride + kChannels), shareX);
      P::write(result, blend(above, below, insideY - top));
    }
}

/** @param mean - Of the image before it was transformed, so that pixels from outside do not count. */
inline void adjustLight(float* values, int64_t length, float mean, const float* light) {
  const float factor = light[0], offset = mean * (1.f - factor) + light[1];
  for (int64_t i = 0; i < length; i += kLanes)
    store(values + i, atMost(atLeast(load(values + i, length - i) * factor + offset, 0.f), 255.f), length - i);
}

inline void erase(float* values, const Extent& extent, float mean, const float* erased) {
  const int64_t left = (int64_t)clamp(erased[0], 0.f, extent.width), right = (int64_t)clamp(erased[2], 0.f, extent.width);
  const int64_t top = (int64_t)clamp(erased[1], 0.f, extent.height), bottom = (int64_t)clamp(erased[3], 0.f, extent.height);
  if (right <= left) return;
  for (int64_t y = top; y < bottom; ++y)
    for (int64_t i = left * extent.channels; i < right * extent.channels; ++i)
      values[y * extent.width * extent.channels + i] = mean;
}

template <int kChannels>
void augmentImages(const Pool& pool, const Augmentation& augmentation, const float* images, float* result) {
  const Extent &in = augmentation.in, &out = augmentation.out;
  const float *light = augmentation.light, *erased = augmentation.erased;
  Tap* rows = reinterpret_cast<Tap*>(scratch(kPartsSlot, (out.height + out.width) * (sizeof(Tap) / sizeof(float))));
  Tap* columns = rows + out.height;
  findTaps(in.height, out.height, rows);
  findTaps(in.width, out.width, columns);
  const int64_t length = out.area() * kChannels;
  parallel(pool, (int)in.batch, [&](int i) {
    Framed framed{nullptr, out.height, out.width, kChannels};
    framed.values = scratch(kInputSlot, framed.numFloats());
    float* moved = scratch(kOutputSlot, length + kSpill);
    resizeInto<kChannels>(framed, images + i * in.area() * kChannels, augmentation, rows, columns);
    moveFrom<kChannels>(framed, augmentation.transforms + i * 6, augmentation.border, moved);
    const float mean = light || erased ? (float)(framed.sum() / length) : 0.f;
    if (light) adjustLight(moved, length, mean, light + i * 2);
    if (erased) erase(moved, out, light ? clamp(mean + light[i * 2 + 1], 0.f, 255.f) : mean, erased + i * 4);
    __builtin_memcpy(result + i * length, moved, length * sizeof(float));
  });
}

inline void augment(const Pool& pool, const Augmentation& augmentation, const float* images, float* result) {
  if (augmentation.in.channels == 3)
    augmentImages<3>(pool, augmentation, images, result);
  else
    augmentImages<1>(pool, augmentation, images, result);
}

}  // namespace
}  // namespace ferkit
