// Vectors of 16 floats: AVX-512. vector_lanes.h says what each function does.
#pragma once
#include <immintrin.h>

#include "vector_lanes.h"

namespace ferkit {
namespace {

FERKIT_INLINE vec load(const float* p, int64_t count) {
  if (count >= kLanes) return load(p);
  if (count <= 0) return vec{};
  return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
}
FERKIT_INLINE void store(float* p, vec v, int64_t count) {
  if (count >= kLanes) return store(p, v);
  if (count <= 0) return;
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
}
FERKIT_INLINE halves loadHalves(const uint16_t* p, int64_t count) {
  if (count >= kLanes) return loadHalves(p);
  if (count <= 0) return halves{};
  return (halves)_mm256_maskz_loadu_epi16((__mmask16)((1u << count) - 1), p);
}
FERKIT_INLINE void storeHalves(uint16_t* p, halves v, int64_t count) {
  if (count >= kLanes) return storeHalves(p, v);
  if (count <= 0) return;
  _mm256_mask_storeu_epi16(p, (__mmask16)((1u << count) - 1), (__m256i)v);
}

FERKIT_INLINE vec splat(float x) { return (vec)_mm512_set1_ps(x); }
// The instructions return their second operand unless the first is larger (smaller).
FERKIT_INLINE vec atLeast(vec x, float low) { return (vec)_mm512_max_ps((__m512)splat(low), (__m512)x); }
FERKIT_INLINE vec atMost(vec x, float high) { return (vec)_mm512_min_ps((__m512)splat(high), (__m512)x); }
FERKIT_INLINE vec squareRoot(vec x) { return (vec)_mm512_sqrt_ps((__m512)x); }
FERKIT_INLINE vec nearestInteger(vec x) { return (vec)_mm512_roundscale_ps((__m512)x, 8); }

FERKIT_INLINE vec reciprocal(vec x) {
  const vec estimate = (vec)_mm512_rcp14_ps((__m512)x);
  return estimate * (2.f - x * estimate);
}

constexpr bool kScalesByAnyPower = true;
FERKIT_INLINE vec timesPowerOfTwo(vec p, vec n) { return (vec)_mm512_scalef_ps((__m512)p, (__m512)n); }

FERKIT_INLINE vec bytesToFloats(const uint8_t (&bytes)[kLanes]) {
  return (vec)_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))));
}

FERKIT_INLINE vec interleaveLow(vec a, vec b) {
  const __m512i lanes = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return (vec)_mm512_permutex2var_ps((__m512)a, lanes, (__m512)b);
}
FERKIT_INLINE vec interleaveHigh(vec a, vec b) {
  const __m512i lanes = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return (vec)_mm512_permutex2var_ps((__m512)a, lanes, (__m512)b);
}

FERKIT_INLINE quad loadThree(const float* p) { return (quad)_mm_maskload_ps(p, _mm_setr_epi32(-1, -1, -1, 0)); }

FERKIT_INLINE vec keepInRegister(vec v) {
  asm("" : "+v"(v));
  return v;
}

}  // namespace
}  // namespace ferkit
