// What layers pass on, in memory: float32, or bfloat16, which takes half of it. Integers round, not instructions that only some processors
// have, so that all give the same numbers.
#pragma once
#include "vector.h"

namespace ferkit {
namespace {

FERKIT_INLINE vec widen(halves upper) { return (vec)(__builtin_convertvector(upper, uvec) << 16); }
FERKIT_INLINE vec load(const Bfloat16* p) { return widen(loadHalves(&p->bits)); }
FERKIT_INLINE vec load(const Bfloat16* p, int64_t count) { return widen(loadHalves(&p->bits, count)); }

/** Rounds to the nearest bfloat16 number, ties to even; NaN stays NaN. */
FERKIT_INLINE uvec roundToBfloat16(vec v) {
  const uvec bits = (uvec)v, isNumber = (uvec)(v == v);
  const uvec rounded = bits + (0x7fff + (bits >> 16 & 1));
  return ((rounded & isNumber) | ((bits | 0x400000) & ~isNumber)) & 0xffff0000;
}

/** Stores the first `count` numbers as elements, and returns what a load will give. */
FERKIT_INLINE vec storeElements(Bfloat16* p, vec v, int64_t count) {
  const uvec rounded = roundToBfloat16(v);
  storeHalves(&p->bits, __builtin_convertvector(rounded >> 16, halves), count);
  return (vec)rounded;
}
FERKIT_INLINE vec storeElements(float* p, vec v, int64_t count) {
  store(p, v, count);
  return v;
}

}  // namespace
}  // namespace ferkit
