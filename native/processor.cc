#include "processor.h"

#include <cstdlib>
#include <cstring>

namespace ferkit {
namespace {

const char* findInstructionSet() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return nullptr;
  const char* wanted = std::getenv("FERKIT_CPU");
  if (wanted && !std::strcmp(wanted, "avx2")) return "avx2";
  const bool hasAvx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return hasAvx512 ? "avx512" : "avx2";
}

}  // namespace

const char* instructionSet() {
  static const char* const found = findInstructionSet();
  return found;
}

bool hasBfloat16() {
  static const bool found = !std::strcmp(instructionSet(), "avx512") && __builtin_cpu_supports("avx512bf16");
  return found;
}

const PlanKernels* planKernels(bool isBfloat16) {
  if (isBfloat16) return hasBfloat16() ? &planAvx512Bfloat16 : nullptr;
  return std::strcmp(instructionSet(), "avx512") ? &planAvx2 : &planAvx512;
}

const Kernels& kernels() {
  static const Kernels& best = std::strcmp(instructionSet(), "avx512") ? kernelsAvx2 : kernelsAvx512;
  return best;
}

}  // namespace ferkit
