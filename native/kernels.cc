// The table of kernels of one instruction set. Compiled once for each set, so it includes no TensorFlow header and no standard
// template: the linker could give another file the copy that was compiled for a newer processor.
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
    .useGradient = useGradient,
    .adam = adam,
    .ema = updateEma,
};

}  // namespace ferkit
