// Augments a batch image by image: resize, transform, change the light, erase a rectangle. Results between the steps stay in the
// processor's cache; stock ops pass the whole batch through memory for each step.
#pragma once
#include "vector.h"

namespace ferkit {
namespace {

typedef float quad __attribute__((vector_size(16)));
typedef quad unalignedQuad __attribute__((aligned(4), may_alias));

/** Reads and writes a pixel. RGB takes four floats; the last belongs to the next pixel. */
template <int kChannels>
struct Pixels;
template <>
struct Pixels<3> {
  typedef quad Pixel;
  static FERKIT_INLINE quad read(const float* p) { return *reinterpret_cast<const unalignedQuad*>(p); }
  static FERKIT_INLINE quad readLast(const float* p) { return (quad)_mm_maskload_ps(p, _mm_setr_epi32(-1, -1, -1, 0)); }
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

/** An image with a black frame, one pixel before it and two behind, so that pixels outside the image read as black. */
struct Framed {
  float* values;
  int64_t height, width, channels;
  int64_t rowStride() const { return (width + 3) * channels; }
  int64_t numFloats() const { return (height + 3) * rowStride() + kSpill; }
  float* at(int64_t y, int64_t x) const { return values + (y + 1) * rowStride() + (x + 1) * channels; }
  void clear(float* from, float* to) const {
    while (from < to) *from++ = 0.f;
  }
};

template <int kChannels>
void resizeInto(const Framed& framed, const float* image, const Extent& in, const Tap* rows, const Tap* columns) {
  typedef Pixels<kChannels> P;
  const bool isSame = in.height == framed.height && in.width == framed.width;
  framed.clear(framed.values, framed.at(0, 0));
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
    framed.clear(framed.at(y, framed.width), framed.at(y + 1, 0));
  }
  framed.clear(framed.at(framed.height, 0), framed.values + framed.numFloats());
}

/** Limits x to [low, high]; NaN gives low, since the result becomes a memory offset. */
FERKIT_INLINE float clamp(float x, float low, float high) { return x > low ? (x < high ? x : high) : low; }

/** @param result - [height, width, channels], plus kSpill floats. */
template <int kChannels>
void moveFrom(const Framed& framed, const float* transform, float* result) {
  typedef Pixels<kChannels> P;
  const int64_t rowStride = framed.rowStride();
  for (int64_t row = 0; row < framed.height; ++row)
    for (int64_t column = 0; column < framed.width; ++column, result += kChannels) {
      const float x = transform[0] * (float)column + (transform[1] * (float)row + transform[2]);
      const float y = transform[3] * (float)column + (transform[4] * (float)row + transform[5]);
      const float insideX = clamp(x, -1.f, (float)framed.width), insideY = clamp(y, -1.f, (float)framed.height);
      const float left = __builtin_floorf(insideX), top = __builtin_floorf(insideY);
      const float* p = framed.at((int32_t)top, (int32_t)left);
      const float shareX = insideX - left;
      const auto above = blend(P::read(p), P::read(p + kChannels), shareX);
      const auto below = blend(P::read(p + rowStride), P::read(p + rowStride + kChannels), shareX);
      P::write(result, blend(above, below, insideY - top));
    }
}

inline float meanOf(const float* values, int64_t length) {
  vec sums = splat(0.f);
  for (int64_t i = 0; i < length; i += kLanes) sums += load(values + i, length - i);
  double total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += sums[lane];
  return (float)(total / length);
}

inline void adjustLight(float* values, int64_t length, const float* light) {
  const float factor = light[0], offset = meanOf(values, length) * (1.f - factor) + light[1];
  for (int64_t i = 0; i < length; i += kLanes)
    store(values + i, atMost(atLeast(load(values + i, length - i) * factor + offset, 0.f), 255.f), length - i);
}

/** Fills the rectangle with the image's mean. */
inline void erase(float* values, const Extent& extent, const float* erased) {
  const int64_t left = (int64_t)clamp(erased[0], 0.f, extent.width), right = (int64_t)clamp(erased[2], 0.f, extent.width);
  const int64_t top = (int64_t)clamp(erased[1], 0.f, extent.height), bottom = (int64_t)clamp(erased[3], 0.f, extent.height);
  if (right <= left) return;
  const float mean = meanOf(values, extent.area() * extent.channels);
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
    resizeInto<kChannels>(framed, images + i * in.area() * kChannels, in, rows, columns);
    moveFrom<kChannels>(framed, augmentation.transforms + i * 6, moved);
    if (light) adjustLight(moved, length, light + i * 2);
    if (erased) erase(moved, out, erased + i * 4);
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
