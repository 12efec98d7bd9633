// Chooses the kernels that this processor can run.
#pragma once
#include "kernels.h"

namespace ferkit {

/** Returns "avx512", "avx2", or null if the processor has neither: then no op may run. FERKIT_CPU=avx2 asks for the lower. */
const char* instructionSet();

/** Returns the kernels for that instruction set. */
const Kernels& kernels();

}  // namespace ferkit
