// ONNX Runtime's package for Node, whose folder is the program's argument: inference of networks in ONNX format.
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Workload } from "../suite.js";
import { readLogits } from "./safetensors.js";
import { type Session, serve } from "./serve.js";

/** The part of the package that is used here. */
interface OnnxRuntime {
  Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => { data: Float32Array };
  InferenceSession: {
    create(
      file: string,
      options: object,
    ): Promise<{
      inputNames: readonly string[];
      outputNames: readonly string[];
      run(feeds: object): Promise<Record<string, { data: Float32Array }>>;
      release(): Promise<void>;
    }>;
  };
}

const folder = process.argv[2];
const runtime = require(folder) as OnnxRuntime;

async function open(model: string) {
  const options = { intraOpNumThreads: os.cpus().length, executionProviders: ["cpu"] };
  const session = await runtime.InferenceSession.create(model, options);
  const infer = async (images: Float32Array, shape: readonly number[]) => {
    const input = new runtime.Tensor("float32", images, shape);
    const outputs = await session.run({ [session.inputNames[0]]: input });
    return outputs[session.outputNames[0]].data;
  };
  return { infer, release: () => void session.release() };
}

async function prepare({ imageSize, batchSize, model }: Workload & { model: string }): Promise<Session> {
  const { infer, release } = await open(model);
  const shape = [batchSize, 3, imageSize, imageSize];
  const images = Float32Array.from({ length: batchSize * 3 * imageSize ** 2 }, () => 2 * Math.random() - 1);
  return {
    step: async () => {
      await infer(images, shape);
    },
    dispose: release,
  };
}

/** Compares ferkit's logits in a file with those of the same network, relative to their norm. */
async function logitsError({ model, file }: { model: string; file: string }): Promise<number> {
  const { images, logits } = await readLogits(file);
  const { infer, release } = await open(model);
  const own = await infer(images.data, images.shape);
  release();
  const norm = (values: Float32Array) => Math.hypot(...values);
  return norm(own.map((value, i) => value - logits.data[i])) / norm(logits.data);
}

serve(prepare, {
  logitsError,
  versions: async () => ({
    onnxruntimeNode: JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")).version,
  }),
});
