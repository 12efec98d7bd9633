// Updates of parameters: Adam's step and the exponential moving average, each in one pass over memory.
#pragma once
#include "vector.h"

namespace ferkit {
namespace {

inline void adam(int64_t length, float* value, float* first, float* second, const float* gradient, float stepSize,
                 float decay, float beta1, float beta2, float epsilon) {
  for (int64_t i = 0; i < length; i += kLanes) {
    const int64_t count = length - i;
    const vec g = load(gradient + i, count);
    vec m = load(first + i, count), v = load(second + i, count);
    m += (g - m) * (1.f - beta1);
    v += (g * g - v) * (1.f - beta2);
    store(first + i, m, count);
    store(second + i, v, count);
    store(value + i, load(value + i, count) * (1.f - decay) - stepSize * m / (squareRoot(v) + epsilon), count);
  }
}

inline void updateEma(int64_t length, float* ema, const float* value, float rate) {
  for (int64_t i = 0; i < length; i += kLanes) {
    const int64_t count = length - i;
    const vec old = load(ema + i, count);
    store(ema + i, old + rate * (load(value + i, count) - old), count);
  }
}

}  // namespace
}  // namespace ferkit
