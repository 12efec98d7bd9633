// Functions of vectors for which AVX2 and NEON have no instruction. vector_lanes.h says what each function does.
#pragma once
#include "vector_lanes.h"

namespace ferkit {
namespace {

FERKIT_INLINE halves loadHalves(const uint16_t* p, int64_t count) {
  if (count >= kLanes) return loadHalves(p);
  halves v{};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
FERKIT_INLINE void storeHalves(uint16_t* p, halves v, int64_t count) {
  if (count >= kLanes) return storeHalves(p, v);
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
}

FERKIT_INLINE vec reciprocal(vec x) { return 1.f / x; }

constexpr bool kScalesByAnyPower = false;
FERKIT_INLINE vec timesPowerOfTwo(vec p, vec n) { return p * (vec)((__builtin_convertvector(n, ivec) + 127) << 23); }

}  // namespace
}  // namespace ferkit
