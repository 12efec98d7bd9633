// The kernels of plans for one instruction set and precision, compiled as kernels.cc is.
#include "plan_kernels.h"

#include "plan_depthwise.h"
#include "plan_layers.h"

namespace ferkit {

constinit const PlanKernels FERKIT_PLAN_KERNELS = {
    .lanes = kLanes,
    .elementSize = sizeof(Element),
    .packedSize = packedSize,
    .numPanels = numPanels,
    .panelBegin = panelBegin,
    .pack = pack,
    .stemRowLength = 9 + 9 % kElementsAtOnce,
    .scratchSize = scratchSize,
    .expandDepthwise = expandDepthwise,
    .project = project,
    .meanOfProduct = meanOfProduct,
    .dense = dense,
    .excite = excite,
    .applyGates = applyGates,
};

}  // namespace ferkit
