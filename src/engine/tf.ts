// The one module that imports the engine, so that what must happen before the import happens once, here.
import util from "node:util";

// tfjs-node 4.22 calls two functions that Node 23 removed; without them every op throws.
const legacyUtil = util as unknown as Record<string, (value: unknown) => boolean>;
legacyUtil.isNullOrUndefined ??= (value) => value === null || value === undefined;
legacyUtil.isArray ??= Array.isArray;
// Errors of the library stay; two notices that it prints while it is loaded heed no setting.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";

// `require`, since an import would be hoisted above the lines before it.
const tf: typeof import("@tensorflow/tfjs-node-gpu") = require("@tensorflow/tfjs-node-gpu");

export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from "@tensorflow/tfjs-node-gpu";
export { tf };
