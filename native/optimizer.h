// Updates of parameters: Adam's step and the exponential moving average, in one pass over memory.
#pragma once
#include "vector.h"

namespace ferkit {
namespace {

FERKIT_INLINE void adam(int64_t count, float* value, float* first, float* second, vec gradient, float stepSize, float decay,
                        float beta1, float beta2, float epsilon) {
  vec m = load(first, count), v = load(second, count);
  m += (gradient - m) * (1.f - beta1);
  v += (gradient * gradient - v) * (1.f - beta2);
  store(first, m, count);
  store(second, v, count);
  store(value, load(value, count) * (1.f - decay) - stepSize * m / (squareRoot(v) + epsilon), count);
}

FERKIT_INLINE void updateEma(int64_t count, float* ema, vec value, float rate) {
  const vec old = load(ema, count);
  store(ema, old + rate * (value - old), count);
}

inline void adam(int64_t length, float* value, float* first, float* second, const float* gradient, float stepSize,
                 float decay, float beta1, float beta2, float epsilon) {
  for (int64_t i = 0; i < length; i += kLanes)
    adam(length - i, value + i, first + i, second + i, load(gradient + i, length - i), stepSize, decay, beta1, beta2, epsilon);
}

inline void updateEma(int64_t length, float* ema, const float* value, float rate) {
  for (int64_t i = 0; i < length; i += kLanes) updateEma(length - i, ema + i, load(value + i, length - i), rate);
}

/** Uses a vector of a gradient, from index i on, of which the first `count` numbers are there. */
FERKIT_INLINE void useGradient(const GradientUse& use, int64_t i, vec gradient, int64_t count) {
  if (use.gradient) return store(use.gradient + i, gradient, count);
  float* const value = use.value + i;
  adam(count, value, use.first + i, use.second + i, gradient, use.stepSize, use.decay, use.beta1, use.beta2, use.epsilon);
  if (use.ema) updateEma(count, use.ema + i, load(value, count), use.emaRate);
}

/** Sums the parts' arrays, which are `stride` apart, and uses the sum. */
inline void useParts(const Pool& pool, const float* own, int64_t stride, int numParts, int64_t length, const GradientUse& use) {
  /** Numbers that are worth waking another thread for. */
  constexpr int64_t kPartLength = 16384;
  const int tasks = (int)min(pool.numThreads, length / kPartLength + 1);
  parallel(pool, tasks, [&](int task) {
    const Range range(length, tasks, task, kLanes);
    for (int64_t i = range.begin; i < range.end; i += kLanes) {
      vec total{};
      for (int part = 0; part < numParts; ++part) total += load(own + part * stride + i, range.end - i);
      useGradient(use, i, total, range.end - i);
    }
  });
}

void useGradient(const Pool& pool, int64_t length, const float* gradient, const GradientUse& use) {
  useParts(pool, gradient, length, 1, length, use);
}

}  // namespace
}  // namespace ferkit
