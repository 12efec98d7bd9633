// The table of kernels of one instruction set. Compiled once for each, so it includes nothing whose functions other files could
// be given by the linker: neither TensorFlow's headers nor the standard library's templates.
#include "kernels.h"

#include "rows.h"
#include "vector.h"

namespace ferkit {

constinit const Kernels FERKIT_KERNELS = {
    .convolution = nullptr,
    .convolutionGradient = nullptr,
    .foldedConvolution = nullptr,
    .depthwise = nullptr,
    .depthwiseGradient = nullptr,
    .foldedDepthwise = nullptr,
    .residual = nullptr,
    .residualGradient = nullptr,
    .meanPool = nullptr,
    .meanPoolGradient = nullptr,
    .gateGradient = nullptr,
    .augment = nullptr,
    .adam = nullptr,
    .average = nullptr,
};

}  // namespace ferkit
