#include "processor.h"

#include <cstdlib>
#include <cstring>

namespace ferkit {
namespace {

/** What ops run on one instruction set. */
struct InstructionSet {
  const char* name;
  const KernelTables* kernels;
  const PlanKernels* plan;
  /** Null if the processor does not multiply bfloat16 numbers. */
  const PlanKernels* bfloat16Plan;
};

/** Returns the best one of this processor, or one without kernels. */
InstructionSet findInstructionSet() {
#ifdef __aarch64__
  return {"neon", &kernelsNeon, &planNeon, nullptr};
#else
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return {};
  const char* wanted = std::getenv("FERKIT_CPU");
  const bool hasAvx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (!hasAvx512 || (wanted && !std::strcmp(wanted, "avx2"))) return {"avx2", &kernelsAvx2, &planAvx2, nullptr};
  return {"avx512", &kernelsAvx512, &planAvx512, __builtin_cpu_supports("avx512bf16") ? &planAvx512Bfloat16 : nullptr};
#endif
}

const InstructionSet& best() {
  static const InstructionSet found = findInstructionSet();
  return found;
}

}  // namespace

const char* instructionSet() { return best().name; }

bool hasBfloat16() { return best().bfloat16Plan; }

const PlanKernels* planKernels(bool isBfloat16) { return isBfloat16 ? best().bfloat16Plan : best().plan; }

const KernelTables& kernelTables() { return *best().kernels; }

}  // namespace ferkit
