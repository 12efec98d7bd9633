import assert from "node:assert/strict";
import { tf } from "../../src/engine/tf.js";
import { Variable } from "../../src/engine/variable.js";
import { ADAM_DEFAULTS, Adam, Ema } from "../../src/training/optimizer.js";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} ≠ ${expected}`);
/** Runs `body` and checks that no tensor is left. */
function withoutLeak(body: () => void): void {
  const before = tf.memory().numTensors;
  tf.tidy(body);
  assert.equal(tf.memory().numTensors, before);
}

describe("Adam", () => {
  it("moves by the learning rate at first, for any size of gradient", () => {
    withoutLeak(() => {
      const adam = new Adam(ADAM_DEFAULTS);
      const variable = new Variable(() => tf.tensor1d([1, 1]));
      adam.update([{ name: "w", variable, gradient: tf.tensor1d([100, -1]), decays: false }], 0.1);
      const [a, b] = variable.read().dataSync();
      near(a, 1 - 0.1);
      near(b, 1 + 0.1);
      // Second step, gradient 0: m = 0.9·0.1·g / (1 − 0.9²), v = 0.999·0.001·g² / (1 − 0.999²)
      adam.update([{ name: "w", variable, gradient: tf.tensor1d([0, 0]), decays: false }], 0.1);
      const step = (0.1 * ((0.9 * 0.1) / (1 - 0.9 ** 2))) / Math.sqrt((0.999 * 0.001) / (1 - 0.999 ** 2));
      near(variable.read().dataSync()[0], 0.9 - step);
      adam.dispose();
      variable.dispose();
    });
  });

  it("shrinks only kernels by weight decay times the learning rate", () => {
    withoutLeak(() => {
      const adam = new Adam({ ...ADAM_DEFAULTS, weightDecay: 0.5 });
      const [kernel, bias] = [new Variable(() => tf.tensor1d([2])), new Variable(() => tf.tensor1d([2]))];
      const gradient = tf.tensor1d([0]);
      const update = [
        { name: "kernel", variable: kernel, gradient, decays: true },
        { name: "bias", variable: bias, gradient, decays: false },
      ];
      adam.update(update, 0.1);
      near(kernel.read().dataSync()[0], 2 * (1 - 0.1 * 0.5));
      near(bias.read().dataSync()[0], 2);
      adam.dispose();
      kernel.dispose();
      bias.dispose();
    });
  });
});

describe("Ema", () => {
  it("moves fast at first and by its decay later", () => {
    withoutLeak(() => {
      const variable = new Variable(() => tf.tensor1d([0]));
      const variables = new Map([["w", variable]]);
      const ema = new Ema(variables, 0.5);
      variable.assign(tf.tensor1d([1]));
      ema.update(variables); // decay 1/10
      near(ema.read().get("w")?.dataSync()[0] as number, 0.9);
      for (let i = 0; i < 20; i++) ema.update(variables);
      variable.assign(tf.tensor1d([2]));
      ema.update(variables); // decay 0.5
      near(ema.read().get("w")?.dataSync()[0] as number, 1.5);
      ema.dispose();
      variable.dispose();
    });
  });
});
