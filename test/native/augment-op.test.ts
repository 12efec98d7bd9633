import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { execute, int } from "../../src/engine/execute.js";
import { instructionSet } from "../../src/engine/native.js";
import { tf } from "../../src/engine/tf.js";
import { projectDir } from "../source-files.js";
import { needsNativeOps } from "./native-ops.js";

interface Augmented {
  kernels: string;
  results: { shape: number[]; values: number[] }[];
}
function augmentedWith(env: NodeJS.ProcessEnv): Augmented {
  const program = path.join(projectDir, "test/native/augmented-values.ts");
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--require", "tsx/cjs", program], {
    cwd: projectDir,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Augmented;
}

describe("FerkitAugment", () => {
  needsNativeOps();

  it("makes of images what TensorFlow's own kernels make of them, by each instruction set", () => {
    const stock = augmentedWith({ FERKIT_NATIVE: "0" });
    assert.equal(stock.kernels, "stock");
    for (const env of [{ FERKIT_CPU: "avx2" }, {}]) {
      const { kernels, results } = augmentedWith(env);
      assert.equal(kernels, env.FERKIT_CPU ?? instructionSet());
      results.forEach(({ shape, values }, i) => {
        assert.deepEqual(shape, stock.results[i].shape);
        const differences = values.map((value, k) => Math.abs(value - stock.results[i].values[k]));
        assert.ok(
          Math.max(...differences) < 0.01,
          `${kernels}, case ${i}: ${Math.max(...differences)} of 255`,
        );
      });
    }
  });

  it("reads nothing beyond an image, wherever a transform points", () => {
    tf.tidy(() => {
      const images = tf.fill([4, 3, 3, 3], 7);
      const far = [1e30, Number.NaN, Number.POSITIVE_INFINITY, -5].flatMap((place) => [
        0,
        0,
        place,
        0,
        0,
        place,
      ]);
      const result = execute(
        "FerkitAugment",
        [int("height", 3), int("width", 3)],
        images,
        tf.tensor1d(far),
        tf.tensor1d([]),
        tf.tensor1d([]),
      );
      assert.deepEqual([...result.dataSync()], new Array(4 * 27).fill(0));
    });
  });
});
