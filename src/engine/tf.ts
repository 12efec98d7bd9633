// The only module that imports the engine, so that what must happen before happens once.
import util from "node:util";

// tfjs-node 4.22 calls two functions that Node 23 removed; without them every op throws.
const legacyUtil = util as unknown as Record<string, (value: unknown) => boolean>;
legacyUtil.isNullOrUndefined ??= (value) => value === null || value === undefined;
legacyUtil.isArray ??= Array.isArray;
// The library's errors stay; two notices that it prints while it loads ignore every setting.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";

type Engine = typeof import("@tensorflow/tfjs-node-gpu");
let loaded: Engine | null = null;

/** Loads when it is first used, since the library takes a second; `require`, since an import would load at once. */
function engine(): Engine {
  loaded ??= require("@tensorflow/tfjs-node-gpu") as Engine;
  return loaded;
}

/** The engine: all of tfjs. */
export const tf = new Proxy({} as Engine, {
  get: (_, name) => Reflect.get(engine(), name),
  has: (_, name) => Reflect.has(engine(), name),
  ownKeys: () => Reflect.ownKeys(engine()),
  getOwnPropertyDescriptor: (_, name) => {
    const descriptor = Reflect.getOwnPropertyDescriptor(engine(), name);
    return descriptor && { ...descriptor, configurable: true };
  },
});

export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from "@tensorflow/tfjs-node-gpu";
