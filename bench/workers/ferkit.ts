import { device, tf } from "../../src/index.js";
import type { Workload } from "../suite.js";
import { countEpochTensors, timeData } from "./data.js";
import { recordLogits, recordStep } from "./recorded.js";
import { type Session, serve } from "./serve.js";
import { inference, prediction, training, trainingWithData } from "./steps.js";

interface Options {
  loadsData?: boolean;
  /** Image file, for `predict`. */
  file: string;
}

async function prepare({ loadsData, file, ...workload }: Workload & Options): Promise<Session> {
  if (workload.kind === "infer") return inference(workload);
  if (workload.kind === "predict") return prediction({ ...workload, file });
  return loadsData ? trainingWithData(workload) : training(workload);
}

serve(prepare, {
  versions: async () => ({ node: process.version, tfjs: tf.version.tfjs, tensorflow: device().tensorflow }),
  recordStep,
  recordLogits,
  timeData,
  countEpochTensors,
});
