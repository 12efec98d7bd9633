// What both test programs' parts need: random numbers, threads, and the comparison with plain loops.
#pragma once
#include <cstdio>
#include <cstring>
#include <string>

#include "../../native/processor.h"
#include "reference.h"

namespace ferkit {

using reference::Numbers;
typedef std::vector<float> Floats;

/** Runs tasks one after another, last first, since kernels may not depend on their order. */
inline const Pool kPool{3, nullptr, [](void*, int count, void (*task)(void*, int), void* argument) {
                          for (int i = count - 1; i >= 0; --i) task(argument, i);
                        }};
inline int numWrong = 0;

/** Returns numbers in [low, high), the same in each run. */
inline Floats randoms(int64_t count, float low = -1, float high = 1) {
  static uint32_t state = 1;
  Floats result(count);
  for (float& x : result) {
    state = state * 1664525u + 1013904223u;
    x = low + (high - low) * (float)(state >> 8) / 16777216.f;
  }
  return result;
}
inline float random(float low, float high) { return randoms(1, low, high)[0]; }
inline Numbers exact(const Floats& x) { return Numbers(x.begin(), x.end()); }

/** Compares; the error is relative to the largest expected number. */
inline void expect(const std::string& what, const float* found, const Numbers& expected, double tolerance = 2e-5) {
  double largest = 1e-6, error = 0;
  for (const double x : expected) largest = std::fmax(largest, std::fabs(x));
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::fabs(found[i] - expected[i]) / largest;
    error = difference > error || std::isnan(difference) ? difference : error;
  }
  const bool isRight = error <= tolerance;
  if (!isRight) ++numWrong;
  std::printf("%-6s %-56s %zu numbers, error %.1e\n", isRight ? "ok" : "WRONG", what.c_str(), expected.size(), error);
}

/** Runs the kernels of inference plans. */
void testPlans(const PlanKernels& kernels, double tolerance);

}  // namespace ferkit
