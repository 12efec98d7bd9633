// Vectors of floats of the instruction set's width, by GCC's and Clang's vector extensions.
#pragma once
#include <immintrin.h>

#include <cstdint>
#include <cstdlib>

#include "kernels.h"

#define FERKIT_INLINE inline __attribute__((always_inline))
// All functions have internal linkage, so that none compiled for one processor is called on another.
namespace ferkit {
namespace {

#ifdef __AVX512F__
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
typedef float vec __attribute__((vector_size(kLanes * 4)));
typedef int32_t ivec __attribute__((vector_size(kLanes * 4)));
typedef vec unalignedVec __attribute__((aligned(4), may_alias));

FERKIT_INLINE vec load(const float* p) { return *reinterpret_cast<const unalignedVec*>(p); }
FERKIT_INLINE void store(float* p, vec v) { *reinterpret_cast<unalignedVec*>(p) = v; }

/** Loads the first `count` lanes; the others are 0. */
FERKIT_INLINE vec load(const float* p, int64_t count) {
  if (count >= kLanes) return load(p);
  if (count <= 0) return vec{};
#ifdef __AVX512F__
  return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#else
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return (vec)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes));
#endif
}

FERKIT_INLINE void store(float* p, vec v, int64_t count) {
  if (count >= kLanes) return store(p, v);
  if (count <= 0) return;
#ifdef __AVX512F__
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#else
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes), (__m256)v);
#endif
}

FERKIT_INLINE vec splat(float x) {
#ifdef __AVX512F__
  return (vec)_mm512_set1_ps(x);
#else
  return (vec)_mm256_set1_ps(x);
#endif
}
// Both keep NaN, so that training sees it: the instructions return their second operand unless the first is larger (smaller).
FERKIT_INLINE vec atLeast(vec x, float low) {
#ifdef __AVX512F__
  return (vec)_mm512_max_ps((__m512)splat(low), (__m512)x);
#else
  return (vec)_mm256_max_ps((__m256)splat(low), (__m256)x);
#endif
}
FERKIT_INLINE vec atMost(vec x, float high) {
#ifdef __AVX512F__
  return (vec)_mm512_min_ps((__m512)splat(high), (__m512)x);
#else
  return (vec)_mm256_min_ps((__m256)splat(high), (__m256)x);
#endif
}

/** Computes eˣ to about 2 ulp: 2ⁿ times a polynomial in the remainder (Cephes' expf). */
FERKIT_INLINE vec exponential(vec x) {
  x = atMost(atLeast(x, -87.f), 88.f);
  const float rounder = 12582912.f;  // 1.5·2²³: adding it rounds to an integer
  const vec n = (x * 1.44269504f + rounder) - rounder;
  const vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
  vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  const ivec exponent = (__builtin_convertvector(n, ivec) + 127) << 23;
  return p * (vec)exponent;
}

/** Computes 1/x to about 1 ulp, unless x is 0 or near the ends of the range of floats. */
FERKIT_INLINE vec reciprocal(vec x) {
#ifdef __AVX512F__
  const vec estimate = (vec)_mm512_rcp14_ps((__m512)x);
  return estimate * (2.f - x * estimate);
#else
  return 1.f / x;
#endif
}

FERKIT_INLINE vec sigmoid(vec x) { return reciprocal(1.f + exponential(-x)); }

template <Activation kActivation>
FERKIT_INLINE vec activate(vec x) {
  if (kActivation == kRelu6) return atMost(atLeast(x, 0.f), 6.f);
  if (kActivation == kSwish) return x * sigmoid(x);
  return x;
}

/** Returns the activation and sets its derivative. */
template <Activation kActivation>
FERKIT_INLINE vec activate(vec x, vec& derivative) {
  if (kActivation == kRelu6) {
    derivative = (x > 0.f) & (x < 6.f) ? splat(1.f) : splat(0.f);
    return activate<kRelu6>(x);
  }
  if (kActivation == kSwish) {
    const vec s = sigmoid(x);
    derivative = s + x * s * (1.f - s);
    return x * s;
  }
  derivative = splat(1.f);
  return x;
}

template <class T, T kValue>
struct Constant {
  static constexpr T value = kValue;
};
template <int kValue>
using IntConstant = Constant<int, kValue>;
template <Activation kActivation>
using ActivationConstant = Constant<Activation, kActivation>;

/** Calls `run` with the activation as a constant. */
template <class Run>
FERKIT_INLINE void withActivation(Activation activation, Run run) {
  if (activation == kRelu6)
    run(ActivationConstant<kRelu6>());
  else if (activation == kSwish)
    run(ActivationConstant<kSwish>());
  else
    run(ActivationConstant<kLinear>());
}

FERKIT_INLINE int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
FERKIT_INLINE int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
FERKIT_INLINE int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
FERKIT_INLINE int64_t roundUp(int64_t a, int64_t b) { return ceilDivide(a, b) * b; }

/** Names of a thread's pieces of scratch memory. */
enum ScratchSlot { kSumsSlot, kKernelSlot, kGradientSlot, kInputSlot, kOutputSlot, kPartsSlot, kDerivativeSlot, kNumSlots };

/** Returns memory for one call, which the thread keeps for the next; aligned to cache lines, not cleared. */
inline float* scratch(ScratchSlot slot, int64_t numFloats) {
  struct Piece {
    float* data = nullptr;
    int64_t size = 0;
    ~Piece() { free(data); }
  };
  static thread_local Piece pieces[kNumSlots];
  Piece& piece = pieces[slot];
  if (piece.size < numFloats) {
    free(piece.data);
    piece.size = roundUp(numFloats, 16);
    piece.data = static_cast<float*>(aligned_alloc(64, piece.size * sizeof(float)));
  }
  return piece.data;
}

/** Part `i` of `count` of [0, length), in whole multiples of `unit` except at the end. */
struct Range {
  int64_t begin, end;
  Range(int64_t length, int count, int i, int64_t unit = 1) {
    const int64_t units = ceilDivide(length, unit);
    begin = min(length, units * i / count * unit);
    end = min(length, units * (i + 1) / count * unit);
  }
};

/** Calls `body(i)` for each i in [0, count) on the pool's threads. */
template <class Body>
void parallel(const Pool& pool, int count, const Body& body) {
  if (count <= 1) return body(0);
  auto task = [](void* argument, int i) { (*static_cast<const Body*>(argument))(i); };
  pool.run(pool.context, count, task, const_cast<Body*>(&body));
}

}  // namespace
}  // namespace ferkit
