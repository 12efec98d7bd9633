// Vectors of 8 floats: AVX2 and FMA. vector_lanes.h says what each function does.
#pragma once
#include <immintrin.h>

#include "vector_portable.h"

namespace ferkit {
namespace {

/** Selects the first `count` lanes. */
FERKIT_INLINE __m256i firstLanes(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
FERKIT_INLINE vec load(const float* p, int64_t count) {
  if (count >= kLanes) return load(p);
  if (count <= 0) return vec{};
  return (vec)_mm256_maskload_ps(p, firstLanes(count));
}
FERKIT_INLINE void store(float* p, vec v, int64_t count) {
  if (count >= kLanes) return store(p, v);
  if (count <= 0) return;
  _mm256_maskstore_ps(p, firstLanes(count), (__m256)v);
}

FERKIT_INLINE vec splat(float x) { return (vec)_mm256_set1_ps(x); }
// The instructions return their second operand unless the first is larger (smaller).
FERKIT_INLINE vec atLeast(vec x, float low) { return (vec)_mm256_max_ps((__m256)splat(low), (__m256)x); }
FERKIT_INLINE vec atMost(vec x, float high) { return (vec)_mm256_min_ps((__m256)splat(high), (__m256)x); }
FERKIT_INLINE vec squareRoot(vec x) { return (vec)_mm256_sqrt_ps((__m256)x); }
FERKIT_INLINE vec nearestInteger(vec x) { return (vec)_mm256_round_ps((__m256)x, 8); }

FERKIT_INLINE vec bytesToFloats(const uint8_t (&bytes)[kLanes]) {
  return (vec)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes))));
}

FERKIT_INLINE vec interleaveLow(vec a, vec b) {
  const __m256 even = _mm256_unpacklo_ps((__m256)a, (__m256)b), odd = _mm256_unpackhi_ps((__m256)a, (__m256)b);
  return (vec)_mm256_permute2f128_ps(even, odd, 0x20);
}
FERKIT_INLINE vec interleaveHigh(vec a, vec b) {
  const __m256 even = _mm256_unpacklo_ps((__m256)a, (__m256)b), odd = _mm256_unpackhi_ps((__m256)a, (__m256)b);
  return (vec)_mm256_permute2f128_ps(even, odd, 0x31);
}

FERKIT_INLINE quad loadThree(const float* p) { return (quad)_mm_maskload_ps(p, _mm_setr_epi32(-1, -1, -1, 0)); }

FERKIT_INLINE vec keepInRegister(vec v) {
  asm("" : "+x"(v));
  return v;
}

}  // namespace
}  // namespace ferkit
