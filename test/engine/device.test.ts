import assert from "node:assert/strict";
import { device, measureMatrixProduct } from "../../src/engine/device.js";
import { tf } from "../../src/engine/tf.js";

describe("device", () => {
  it("names where the engine computes and its version", () => {
    const { kind, tensorflow, kernels } = device();
    assert.match(kind, /^(CPU|GPU)$/);
    assert.match(kernels, kind === "CPU" ? /^(avx512|avx2|neon|stock)$/ : /^stock$/);
    assert.match(tensorflow, /^2\.\d+\.\d+/);
  });

  it("counts the tensors that are alive", () => {
    const before = device().numTensors;
    const tensors = [tf.scalar(1), tf.scalar(2)];
    assert.equal(device().numTensors, before + 2);
    tf.dispose(tensors);
    assert.equal(device().numTensors, before);
  });
});

describe("measureMatrixProduct", () => {
  const now = performance.now;
  afterEach(() => {
    performance.now = now;
  });

  it("is 2·side³ operations over the shortest time, in seconds", () => {
    const times = [0, 20, 100, 104, 200, 210]; // three products that take 20, 4 and 10 ms
    performance.now = () => times.shift() as number;
    const rate = measureMatrixProduct({ side: 10, repeats: 3 });
    assert.equal(rate, 2000 / 0.004);
    assert.equal(times.length, 0);
  });

  it("is positive on the true clock, and leaks nothing", () => {
    const before = tf.memory().numTensors;
    const rate = measureMatrixProduct({ side: 64, repeats: 2 });
    assert.ok(rate > 0 && Number.isFinite(rate), String(rate));
    assert.equal(tf.memory().numTensors, before);
  });

  const cases: [{ side: number; repeats: number }, string][] = [
    [{ side: 0, repeats: 1 }, "Expected an integer in [1, 8192] for side but received 0 of type number"],
    [
      { side: Number.NaN, repeats: 1 },
      "Expected an integer in [1, 8192] for side but received NaN of type number",
    ],
    [{ side: 8, repeats: 0 }, "Expected an integer ≥ 1 for repeats but received 0 of type number"],
  ];
  for (const [options, message] of cases)
    it(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(() => measureMatrixProduct(options), { name: "ParameterError", message });
    });
});
