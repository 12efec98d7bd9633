// The only module that imports the engine, so that what must happen before happens once.
import { existsSync } from "node:fs";
import path from "node:path";
import util from "node:util";
import { InputError } from "../errors.js";
import { printAsText } from "./text.js";

// tfjs-node 4.22 calls two functions that print a warning in Node 22, and that Node 23 removed: without them every op throws.
const legacyUtil = util as unknown as Record<string, (value: unknown) => boolean>;
legacyUtil.isNullOrUndefined = (value) => value === null || value === undefined;
legacyUtil.isArray = Array.isArray;
process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";

type Engine = typeof import("@tensorflow/tfjs-node-gpu");
let loaded: Engine | null = null;

/** Loads when it is first used, since the library takes a second; `require`, since an import would load at once. */
function engine(): Engine {
  if (loaded) return loaded;
  loaded = withoutNotices(() => require("@tensorflow/tfjs-node-gpu") as Engine);
  printAsText(loaded.Tensor.prototype, loaded.LayersModel.prototype);
  return loaded;
}

/** What set-up makes of native/notices.c. */
const NOTICES_ADDON = path.join(__dirname, "../../.ferkit/native/notices.node");
interface NoticesAddon {
  hold(): boolean;
  release(): string;
  /** False if the library would end the process on this processor; an addon of an earlier version does not say. */
  runsTensorFlow?: boolean;
}
/** Notices that TensorFlow prints while it loads, whatever the settings. */
const NOTICE =
  /^(WARNING: All log messages before absl::|I\d{4} |To enable the following instructions: ).*\n/gm;

/** Loads a library; of what it prints meanwhile, all but its notices reaches standard error. */
function withoutNotices<T>(load: () => T): T {
  if (!existsSync(NOTICES_ADDON)) return load();
  const notices: NoticesAddon = require(NOTICES_ADDON);
  if (notices.runsTensorFlow === false)
    throw new InputError({
      expected: "a processor with AVX, as TensorFlow's library needs,",
      found: "one without",
      fix: "Run it on a processor of 2012 or later. In a virtual machine, choose the processor type of the host (QEMU: -cpu host).",
    });
  const isHeld = notices.hold();
  try {
    return load();
  } finally {
    const printed = isHeld ? notices.release().replace(NOTICE, "") : "";
    if (printed !== "") process.stderr.write(printed);
  }
}

/**
 * The engine: all of tfjs. It loads when it is first used.
 *
 * @see https://js.tensorflow.org/api/latest
 * @example
 * ```ts
 * import { tf } from "ferkit";
 *
 * const sum = tf.tidy(() => tf.tensor1d([1, 2]).add(1).sum().dataSync()[0]);
 * console.log(sum); // 5
 * ```
 */
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
