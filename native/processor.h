// Chooses the kernels that this processor can run.
#pragma once
#include "kernels.h"
#include "plan_kernels.h"

namespace ferkit {

/** Returns "avx512", "avx2", "neon", or null if the processor has none: then no op may run. FERKIT_CPU=avx2 asks for less than AVX-512. */
const char* instructionSet();

/** Whether the processor multiplies bfloat16 numbers, and `instructionSet` allows it. */
bool hasBfloat16();

/** Returns the kernels for that instruction set. */
const KernelTables& kernelTables();

/** Returns those of them that work on float32 alone. */
inline const Kernels& kernels() { return kernelTables().float32; }

/** Returns the kernels of plans; null if there are none of that precision. */
const PlanKernels* planKernels(bool isBfloat16);

}  // namespace ferkit
