// Vectors of floats by GCC's and Clang's vector extensions, as wide as the registers of the instruction set that a file is compiled for.
// `vector_avx512.h`, `vector_avx2.h` and `vector_neon.h` define the same functions, for what the extensions lack:
//
// - `load`, `store` with a count: the first lanes; the others read as 0 and are not written.
// - `loadHalves`, `storeHalves`: the same for numbers of 16 bits.
// - `splat`; `atLeast`, `atMost`, which keep NaN, so that training sees it; `squareRoot`; `nearestInteger`, ties to even.
// - `reciprocal`: 1/x to about 1 ulp, unless x is 0 or near the ends of the range of floats.
// - `timesPowerOfTwo`: p·2ⁿ for whole n, in [−126, 126] unless `kScalesByAnyPower`.
// - `interleaveLow`, `interleaveHigh`: the lower (upper) half of a's and b's lanes, in turns.
// - `bytesToFloats`; `loadThree`, for a pixel, whose last lane is 0; `keepInRegister`, for a vector that is used more than once, which the compiler would read from memory each time.
#pragma once
#include <cstdint>

#define FERKIT_INLINE inline __attribute__((always_inline))

namespace ferkit {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16, kNumRegisters = 32;
#elif defined(__AVX2__)
constexpr int kLanes = 8, kNumRegisters = 16;
#else
constexpr int kLanes = 4, kNumRegisters = 32;
#endif
typedef float vec __attribute__((vector_size(kLanes * 4)));
typedef int32_t ivec __attribute__((vector_size(kLanes * 4)));
typedef uint32_t uvec __attribute__((vector_size(kLanes * 4)));
typedef uint16_t halves __attribute__((vector_size(kLanes * 2)));
typedef vec unalignedVec __attribute__((aligned(4), may_alias));
typedef halves unalignedHalves __attribute__((aligned(2), may_alias));
/** A pixel, whatever the width of registers. */
typedef float quad __attribute__((vector_size(16)));

FERKIT_INLINE vec load(const float* p) { return *reinterpret_cast<const unalignedVec*>(p); }
FERKIT_INLINE void store(float* p, vec v) { *reinterpret_cast<unalignedVec*>(p) = v; }
FERKIT_INLINE halves loadHalves(const uint16_t* p) { return *reinterpret_cast<const unalignedHalves*>(p); }
FERKIT_INLINE void storeHalves(uint16_t* p, halves v) { *reinterpret_cast<unalignedHalves*>(p) = v; }

}  // namespace
}  // namespace ferkit
