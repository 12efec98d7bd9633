import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { backend, hasBfloat16, useBackend } from "../../src/engine/device.js";
import { type Tensor, type Tensor4D, tf } from "../../src/engine/tf.js";
import { Variable } from "../../src/engine/variable.js";
import { cacheDir } from "../../src/files.js";
import { withTemperature } from "../../src/metrics/calibration.js";
import { calibrated, initialValue, Network } from "../../src/model/network.js";
import { parameterSpecs } from "../../src/model/parameters.js";
import { loadModel, loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { loadPretrained } from "../../src/model/weights/pretrained.js";
import { formulaImages, formulaNetwork, golden } from "../golden/golden.js";
import { randomImages, randomNetwork, relativeError, TINY } from "./fixtures.js";

describe("Network", () => {
  for (const variant of ["lite0", "b0"] as const)
    it(`gives the logits of PyTorch's ${variant} for the same weights and pixels`, () => {
      const before = tf.memory().numTensors;
      const network = formulaNetwork(variant);
      const images = formulaImages(48, [0, 1, 2]);
      const logits = network.logits(images);
      assert.ok(relativeError(logits.dataSync(), golden.trainingStep[variant].logits.flat()) < 1e-4);
      tf.dispose([images, logits]);
      network.dispose();
      assert.ok(
        tf.memory().numTensors - before <= 3,
        "shape constants of the kernels are kept, nothing else",
      );
    });

  it("computes with the current values after any change to them", () => {
    const network = randomNetwork();
    const images = randomImages(2, 40);
    const bias = network.variables.get("predictions/bias") as Variable;
    const names = ["predictions/bias"];
    const logits = () => tf.tidy(() => [...network.logits(images).dataSync()]);
    const assertBias = (expected: number[]) => {
      const withoutBias = logits().map((logit, i) => logit - expected[i % 3]);
      assert.ok(relativeError(withoutBias, first) < 1e-3, `bias ${expected}: ${withoutBias}, ${first}`);
    };
    const first = logits();
    tf.tidy(() => {
      bias.assign(tf.tensor1d([1, 2, 3]));
      assertBias([1, 2, 3]);
      backend().assignVariables(network.variables, new Map([[names[0], tf.tensor1d([4, 5, 6])]]));
      assertBias([4, 5, 6]);
      const moments = [0, 1].map(() => new Variable(() => tf.zeros([3]))) as [Variable, Variable];
      const update = { variable: bias, moments, gradient: tf.ones([3]), count: 1, decay: 0 };
      backend().adam([update], { learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 0 });
      assertBias([3.5, 4.5, 5.5]);
      const other = new Variable(() => tf.tensor1d([1.5, 2.5, 3.5]));
      backend().ema([bias], [other], 0.5);
      assertBias([2.5, 3.5, 4.5]);
      const values = network.read();
      values.set("predictions/bias", tf.tensor1d([7, 8, 9]));
      const given = [...network.logits(images, values).dataSync()];
      assert.ok(
        relativeError(
          given.map((logit, i) => logit - [7, 8, 9][i % 3]),
          first,
        ) < 1e-3,
      );
      assertBias([2.5, 3.5, 4.5]);
      for (const one of [...moments, other]) one.dispose();
    });
    images.dispose();
    network.dispose();
  });

  it("gives an image of a large batch the logits that it has in a small one", () => {
    const network = formulaNetwork("lite0");
    const batch = formulaImages(48, [0, 1, 2]);
    const images = tf.tidy(() => tf.tile(batch, [100, 1, 1, 1]));
    const [few, many] = [network.logits(batch), network.logits(images)];
    assert.deepEqual(many.shape, [300, 7]);
    const last = many.slice([297, 0], [3, 7]);
    assert.ok(relativeError(last.dataSync(), few.dataSync()) < 1e-6);
    tf.dispose([batch, images, few, many, last]);
    network.dispose();
  });

  it("infers in bfloat16 once that is chosen, and in float32 again", function () {
    if (!hasBfloat16()) {
      console.log("      skipped: the processor does not multiply bfloat16 numbers");
      this.skip();
    }
    const network = formulaNetwork("lite0");
    const images = formulaImages(48, [0, 1]);
    const logits = () => tf.tidy(() => [...network.logits(images).dataSync()]);
    const exact = logits();
    network.setPrecision("bfloat16");
    const error = relativeError(logits(), exact);
    assert.ok(error > 1e-5 && error < 0.05, `${error}`); // 8 bits of precision
    network.setPrecision("float32");
    assert.deepEqual(logits(), exact);
    images.dispose();
    network.dispose();
  });

  it("says that it was disposed, each time", () => {
    const network = randomNetwork();
    const images = randomImages(1, network.config.imageSize);
    network.dispose();
    network.dispose();
    for (const use of [() => network.logits(images), () => network.features(images), () => network.read()])
      assert.throws(use, {
        message: "This network was disposed. Load it again, or dispose it after its last use.",
      });
    images.dispose();
  });

  it("refuses bfloat16 where the native ops do not compute in it", () => {
    const network = randomNetwork();
    useBackend("stock");
    try {
      assert.throws(() => network.setPrecision("bfloat16"), {
        name: "InputError",
        message:
          "Expected a processor with AVX512-BF16 for precision bfloat16 but found one without, or no native ops. Choose float32.",
      });
    } finally {
      useBackend("fastest");
      network.dispose();
    }
  });

  for (const size of [224, 48] as const)
    it(`gives PyTorch's ImageNet logits with the published weights at ${size} pixels`, async function () {
      if (!existsSync(path.join(cacheDir(), "weights/efficientnet-lite0.pth"))) {
        console.log("      skipped: no weights in the cache; run `npm run setup`");
        this.skip();
      }
      const { parameters } = await loadPretrained("lite0");
      const classNames = Array.from({ length: 1000 }, (_, i) => String(i));
      const preprocessing = { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] };
      const network = new Network(
        { variant: "lite0", classNames, imageSize: size, preprocessing },
        parameters,
      );
      const images = formulaImages(size, [0]);
      const logits = network.logits(images);
      assert.ok(relativeError(logits.dataSync(), golden.pretrainedLogits.lite0[size]) < 1e-4);
      tf.dispose([images, logits]);
      network.dispose();
    });

  it("names a weight that is missing or of another shape", () => {
    const parameters = new Map(parameterSpecs("lite0", 3).map((spec) => [spec.name, initialValue(spec, 0)]));
    parameters.set("stem_conv/kernel", { shape: [3, 3, 3, 8], data: new Float32Array(216) });
    assert.throws(() => new Network(TINY, parameters), {
      message:
        "Expected weights of shape [3,3,3,32] for stem_conv/kernel but found shape [3,3,3,8]. Choose weights of the same variant and number of classes.",
    });
    parameters.delete("stem_conv/kernel");
    assert.throws(() => new Network(TINY, parameters), {
      message:
        "Expected weights of shape [3,3,3,32] for stem_conv/kernel but found none of that name. Choose weights of the same variant and number of classes.",
    });
  });
});

describe("Network.logits", () => {
  it("takes pixels as integers, and refuses what are no images", () => {
    const before = tf.memory().numTensors;
    for (const grey of [false, true]) {
      const network = randomNetwork(grey ? { grey } : {});
      const [images, integers] = tf.tidy(() => [
        randomImages(2, TINY.imageSize),
        randomImages(2, TINY.imageSize).toInt(),
      ]);
      const [expected, actual] = tf.tidy(() =>
        [images, integers].map((one) => network.logits(one as Tensor4D).dataSync()),
      );
      assert.deepEqual(actual, expected);
      const shape = (given: number[]) =>
        `Expected a tensor of shape [batchSize, height, width, 3] for images but received ${JSON.stringify(given)} of type array`;
      for (const given of [
        [40, 40, 3],
        [1, 40, 40, 1],
        [0, 40, 40, 3],
      ])
        assert.throws(
          () => tf.tidy(() => network.logits(tf.zeros(given as [number, number, number, number]))),
          {
            name: "ParameterError",
            message: shape(given),
          },
        );
      assert.throws(() => network.features(new Uint8Array(4) as never), {
        message: "Expected a tensor of images, for images but received a Uint8Array of type object",
      });
      tf.dispose([images, integers]);
      network.dispose();
    }
    assert.equal(tf.memory().numTensors, before);
  });
});

describe("initialValue", () => {
  it("depends on the seed and the name only", () => {
    const [spec] = parameterSpecs("lite0", 3);
    assert.deepEqual(initialValue(spec, 1), initialValue(spec, 1));
    assert.notDeepEqual(initialValue(spec, 1).data, initialValue(spec, 2).data);
    assert.notDeepEqual(initialValue(spec, 1).data, initialValue({ ...spec, name: "other/kernel" }, 1).data);
  });

  it("spreads convolutions by their fan-out", () => {
    // Variance 2 / (3·3·32)
    const { data } = initialValue({ name: "a/kernel", shape: [3, 3, 64, 32], kind: "kernel" }, 0);
    const variance = data.reduce((total, x) => total + x * x, 0) / data.length;
    assert.ok(Math.abs(variance / (2 / 288) - 1) < 0.05, String(variance));
  });
});

const CALIBRATION = { temperature: 0.5, numImages: 200 };

describe("calibrated", () => {
  it("divides the last layer only, and does not change its input", async () => {
    const network = randomNetwork();
    const parameters = await network.parameters();
    network.dispose();
    const before = new Map([...parameters].map(([name, { data }]) => [name, data.slice()]));
    const model = calibrated(TINY, parameters, CALIBRATION);
    for (const [name, { data }] of parameters) {
      assert.deepEqual(data, before.get(name));
      const scale = name.startsWith("predictions/") ? 2 : 1;
      assert.deepEqual(
        model.parameters.get(name)?.data,
        data.map((value) => scale * value),
      );
    }
    assert.deepEqual(model.config, { ...TINY, calibration: CALIBRATION });
    assert.equal(TINY.calibration, undefined);
  });

  it("multiplies the temperatures when it is done again", async () => {
    const network = randomNetwork();
    const once = calibrated(TINY, await network.parameters(), { temperature: 0.5, numImages: 200 });
    network.dispose();
    const { config } = calibrated(once.config, once.parameters, { temperature: 3, numImages: 300 });
    assert.deepEqual(config.calibration, { temperature: 1.5, numImages: 300 });
  });

  it("gives calibrated probabilities in ferkit and in plain tfjs, and is in the loaded configuration", async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-calibrated-"));
    const network = randomNetwork();
    const model = calibrated(TINY, await network.parameters(), CALIBRATION);
    await saveModel(dir, model.config, model.parameters);
    assert.deepEqual((await loadModelConfig(dir)).calibration, CALIBRATION);
    const loaded = await loadModel(dir);
    const stock = await tf.loadLayersModel(`file://${path.join(dir, "model.json")}`);
    rmSync(dir, { recursive: true });
    const images = randomImages(3, TINY.imageSize);
    const probsOf = (one: typeof network) =>
      tf.tidy(() => tf.softmax(one.logits(images)).dataSync() as Float32Array);
    const expected = withTemperature(probsOf(network), TINY.classNames.length, 0.5);
    assert.ok(relativeError(probsOf(network), expected) > 0.01, "the temperature changes something");
    assert.ok(relativeError(probsOf(loaded), expected) < 1e-4);
    const theirs = stock.predict(images) as Tensor;
    assert.ok(relativeError(theirs.dataSync(), expected) < 1e-4);
    tf.dispose([images, theirs]);
    stock.dispose();
    loaded.dispose();
    network.dispose();
  });
});
