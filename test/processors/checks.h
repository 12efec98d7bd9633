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

/** Rounds to the nearest number with 8 binary digits, ties to even, by arithmetic alone. */
inline float toBfloat16(float x) {
  int exponent;
  const float digits = std::frexp(x, &exponent) * 256;
  return std::isfinite(x) ? (float)std::ldexp(std::nearbyint((double)digits), exponent - 8) : x;
}

/** Numbers as a kernel takes and gives them; `Floats` are those that the type can hold. */
template <class Element>
class Elements {
 public:
  explicit Elements(const Floats& values) : data_(values.size()) {
    for (size_t i = 0; i < values.size(); ++i) std::memcpy(&data_[i], (const char*)&values[i] + 4 - sizeof(Element), sizeof(Element));
  }
  explicit Elements(size_t count) : data_(count) {}
  Element* data() { return data_.data(); }
  const Element* data() const { return data_.data(); }
  Floats values() const {
    Floats result(data_.size());
    for (size_t i = 0; i < result.size(); ++i) std::memcpy((char*)&result[i] + 4 - sizeof(Element), &data_[i], sizeof(Element));
    return result;
  }

 private:
  std::vector<Element> data_;
};

/** What is particular to a type: its kernels, its random numbers, and how much larger errors may be. */
template <class Element>
struct TypeOf;
template <>
struct TypeOf<float> {
  static const KernelsOf<float>& kernels() { return kernelTables().float32; }
  static Floats round(Floats values) { return values; }
  static constexpr double kRounding = 0;
  static constexpr const char* kName = "";
};
template <>
struct TypeOf<Bfloat16> {
  static const KernelsOf<Bfloat16>& kernels() { return kernelTables().bfloat16; }
  static Floats round(Floats values) {
    for (float& x : values) x = toBfloat16(x);
    return values;
  }
  static constexpr double kRounding = 1. / 256;
  static constexpr const char* kName = "bfloat16 ";
};

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
