// Vectors of 4 floats: NEON, which every 64-bit ARM processor has. vector_lanes.h says what each function does.
#pragma once
#include <arm_neon.h>

#include "vector_portable.h"

namespace ferkit {
namespace {

FERKIT_INLINE vec load(const float* p, int64_t count) {
  if (count >= kLanes) return load(p);
  if (count <= 0) return vec{};
  const float second = count > 1 ? p[1] : 0.f, third = count > 2 ? p[2] : 0.f;
  return vec{p[0], second, third, 0.f};
}
FERKIT_INLINE void store(float* p, vec v, int64_t count) {
  if (count >= kLanes) return store(p, v);
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}

FERKIT_INLINE vec splat(float x) { return (vec)vdupq_n_f32(x); }
FERKIT_INLINE vec atLeast(vec x, float low) { return (vec)vmaxq_f32((float32x4_t)x, (float32x4_t)splat(low)); }
FERKIT_INLINE vec atMost(vec x, float high) { return (vec)vminq_f32((float32x4_t)x, (float32x4_t)splat(high)); }
FERKIT_INLINE vec squareRoot(vec x) { return (vec)vsqrtq_f32((float32x4_t)x); }
FERKIT_INLINE vec nearestInteger(vec x) { return (vec)vrndnq_f32((float32x4_t)x); }

FERKIT_INLINE vec bytesToFloats(const uint8_t (&bytes)[kLanes]) {
  uint32_t all;
  __builtin_memcpy(&all, bytes, sizeof all);
  return (vec)vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(all)))));
}

FERKIT_INLINE vec interleaveLow(vec a, vec b) { return (vec)vzip1q_f32((float32x4_t)a, (float32x4_t)b); }
FERKIT_INLINE vec interleaveHigh(vec a, vec b) { return (vec)vzip2q_f32((float32x4_t)a, (float32x4_t)b); }

FERKIT_INLINE quad loadThree(const float* p) {
  return (quad)vcombine_f32(vld1_f32(p), vld1_lane_f32(p + 2, vdup_n_f32(0.f), 0));
}

FERKIT_INLINE vec keepInRegister(vec v) {
  asm("" : "+w"(v));
  return v;
}

}  // namespace
}  // namespace ferkit
