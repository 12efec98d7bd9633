// The table of kernels of one instruction set. Compiled once for each, so it includes nothing whose functions other files could
// be given by the linker: neither TensorFlow's headers nor the standard library's templates.
#include "kernels.h"

#include "augment.h"
#include "convolution.h"
#include "depthwise_gradient.h"
#include "excite.h"
#include "optimizer.h"
#include "pool.h"

namespace ferkit {

constinit const Kernels FERKIT_KERNELS = {
    .convolution = convolution,
    .convolutionGradient = convolutionGradient,
    .convolutionInference = convolutionInference,
    .depthwise = depthwise,
    .depthwiseGradient = depthwiseGradient,
    .depthwiseInference = depthwiseInference,
    .residual = residual,
    .residualGradient = residualGradient,
    .meanPool = meanPool,
    .meanPoolGradient = meanPoolGradient,
    .excite = excite,
    .exciteGradient = exciteGradient,
    .augment = augment,
    .adam = adam,
    .average = moveAverage,
};

}  // namespace ferkit
