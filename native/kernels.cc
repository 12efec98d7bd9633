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
namespace {

template <class Element>
constexpr KernelsOf<Element> table() {
  return {
      .convolution = convolution<Element>,
      .convolutionGradient = convolutionGradient<Element>,
      .convolutionInference = convolutionInference<Element>,
      .depthwise = depthwise<Element>,
      .depthwiseGradient = depthwiseGradient<Element>,
      .depthwiseInference = depthwiseInference<Element>,
      .residual = residual<Element>,
      .residualGradient = residualGradient<Element>,
      .meanPool = meanPool<Element>,
      .meanPoolGradient = meanPoolGradient<Element>,
      .excite = excite<Element>,
      .exciteGradient = exciteGradient<Element>,
      .augment = augment,
      .useGradient = useGradient,
      .adam = adam,
      .ema = updateEma,
  };
}

}  // namespace

constinit const KernelTables FERKIT_KERNELS = {table<float>(), table<Bfloat16>()};

}  // namespace ferkit
