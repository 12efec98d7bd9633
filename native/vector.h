// Vectors of floats, functions of them, and the splitting of work.
#pragma once
#if defined(__AVX512F__)
#include "vector_avx512.h"
#elif defined(__AVX2__)
#include "vector_avx2.h"
#elif defined(__aarch64__)
#include "vector_neon.h"
#else
#error "Expected a target with AVX-512, AVX2 or NEON."
#endif

#include <cstdlib>

#include "kernels.h"

// All functions have internal linkage, so that none compiled for one processor is called on another.
namespace ferkit {
namespace {

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
