// Which of the kernels this processor can run.
#pragma once
#include "kernels.h"

namespace ferkit {

/** "avx512", "avx2", or null where the processor has neither: then no op may run. FERKIT_CPU=avx2 asks for the lower. */
const char* instructionSet();

/** The kernels for that instruction set. */
const Kernels& kernels();

}  // namespace ferkit
