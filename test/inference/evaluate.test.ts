import assert from "node:assert/strict";
import type { NearDuplicates } from "../../src/data/audit/near-duplicates.js";
import type { Dataset, PackedImages } from "../../src/data/dataset.js";
import { PixelArray, PixelSelection, type Pixels } from "../../src/data/pixels/pixels.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { classify, classifyViews, evaluate, evaluationReport, score } from "../../src/inference/evaluate.js";
import { withTemperature } from "../../src/metrics/calibration.js";
import { Network } from "../../src/model/network.js";
import { Random } from "../../src/random.js";
import { randomNetwork, TINY } from "../model/fixtures.js";

const IMAGE_SIZE = 33;

/** Draws noise, different in each image. */
function noise(labels: number[], { imageSize = IMAGE_SIZE, numChannels = 3 as 1 | 3 } = {}): PackedImages {
  const length = imageSize * imageSize * numChannels;
  const bytes = new Uint8Array(labels.length * length);
  labels.forEach((_, i) => {
    const random = new Random(0, "noise", i);
    const brightness = 56 + random.integer(200);
    for (let p = 0; p < length; p++) bytes[i * length + p] = random.integer(brightness);
  });
  const paths = labels.map((label, i) => `${label}/${i}.png`);
  return {
    pixels: new PixelArray(bytes, length),
    labels: Int32Array.from(labels),
    numImages: labels.length,
    imageSize,
    numChannels,
    paths,
  };
}

/** Builds a network that gives every image the probabilities 1/5, 3/5, 1/5: its last layer has only a bias. */
async function constantNetwork(): Promise<Network> {
  const random = randomNetwork({ imageSize: IMAGE_SIZE });
  const parameters = await random.parameters();
  random.dispose();
  parameters.get("predictions/kernel")?.data.fill(0);
  parameters.get("predictions/bias")?.data.set([0, Math.log(3), 0]);
  return new Network(random.config, parameters);
}

function isNear(actual: number, expected: number, tolerance = 1e-5): void {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`);
}

describe("evaluate", () => {
  it("scores a network of constant output, as computed by hand", async () => {
    const network = await constantNetwork();
    const result = await evaluate(network, noise([1, 1, 0, 2]));
    assert.deepEqual([...result.predicted], [1, 1, 1, 1]);
    assert.equal(result.numImages, 4);
    assert.equal(result.accuracy, 2 / 4);
    assert.deepEqual(result.perClassRecall, { circle: 0, square: 1, triangle: 0 });
    assert.deepEqual(result.confusionMatrix, [
      [0, 1, 0],
      [0, 2, 0],
      [0, 1, 0],
    ]);
    // F1 of square: 2·2 hits / (2 images + 4 predictions); of the others 0.
    isNear(result.macroF1, 4 / 6 / 3);
    isNear(result.loss, -(2 * Math.log(3 / 5) + 2 * Math.log(1 / 5)) / 4);
    assert.equal(result.probs.length, 4 * 3);
    for (let i = 0; i < 4; i++)
      [0.2, 0.6, 0.2].forEach((prob, c) => {
        isNear(result.probs[3 * i + c], prob);
      });
    network.dispose();
  });

  it("has no recall for a class without images", async () => {
    const network = await constantNetwork();
    const { perClassRecall, accuracy } = await evaluate(network, noise([1, 0]));
    assert.deepEqual(perClassRecall, { circle: 0, square: 1, triangle: null });
    assert.equal(accuracy, 1 / 2);
    network.dispose();
  });

  it("refuses no images, and labels that do not belong to them", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE });
    const refused = (images: PackedImages, message: string) =>
      assert.rejects(evaluate(network, images), { message });
    await refused(
      noise([]),
      "Expected images to score but found none. Choose images of the model's classes.",
    );
    await refused(
      { ...noise([0, 1]), labels: Int32Array.of(0) },
      "Expected 1, as there are labels, for numImages of images but received 2 of type number",
    );
    const labels = Float32Array.of(0, 0.5) as unknown as Int32Array;
    await refused(
      { ...noise([0, 1]), labels },
      "Expected an integer ≥ 0 for images.labels[1] but received 0.5 of type number",
    );
    network.dispose();
  });

  it("uses other parameters, which the caller keeps", async () => {
    const network = await constantNetwork();
    const values: Map<string, Tensor> = network.read();
    values.get("predictions/bias")?.dispose();
    values.set("predictions/bias", tf.tensor1d([0, 0, Math.log(8)]));
    const images = noise([2, 2, 1]);
    const result = await evaluate(network, images, { values });
    assert.deepEqual([...result.predicted], [2, 2, 2]);
    isNear(result.accuracy, 2 / 3);
    isNear(result.probs[2], 8 / 10);
    assert.ok([...values.values()].every(({ isDisposed }) => !isDisposed));
    assert.deepEqual([...(await evaluate(network, images)).predicted], [1, 1, 1]);
    tf.dispose([...values.values()]);
    network.dispose();
  });

  it("stops after a batch when it is interrupted, and leaves no tensor", async () => {
    const network = await constantNetwork();
    const images = noise(Array.from({ length: 3 * 128 }, () => 0));
    await evaluate(network, noise([0])); // the kernels keep shapes from their first use on
    const before = tf.memory().numTensors;
    let numRead = 0;
    const interrupt = new AbortController();
    const pixels: Pixels = {
      read(indices) {
        numRead += indices.length;
        setImmediate(() => interrupt.abort()); // as the kernel, between two of its batches
        return images.pixels.read(indices);
      },
    };
    await assert.rejects(evaluate(network, { ...images, pixels }, { signal: interrupt.signal }), {
      name: "AbortError",
    });
    assert.ok(numRead < images.numImages, `${numRead} of ${images.numImages} images`);
    assert.equal(tf.memory().numTensors, before);
    network.dispose();
  });

  it("classifies the views of each image on request, and averages them", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE });
    const images = noise([0, 1]);
    const bytes = await images.pixels.read(Int32Array.of(0, 1));
    const flipped = bytes.map((_, i) => {
      const [line, channel] = [Math.floor(i / (3 * IMAGE_SIZE)), i % 3];
      const x = Math.floor(i / 3) % IMAGE_SIZE;
      return bytes[line * 3 * IMAGE_SIZE + 3 * (IMAGE_SIZE - 1 - x) + channel];
    });
    const [plain, mirrored] = await classifyViews(network, images, { views: "flip" });
    const pixels = new PixelArray(flipped, 3 * IMAGE_SIZE ** 2);
    assert.deepEqual(mirrored, await classify(network, { ...images, pixels }));
    assert.deepEqual(plain, await classify(network, images));
    assert.notDeepEqual(mirrored, plain);
    const { probs } = await evaluate(network, images, { views: "flip" });
    assert.deepEqual(
      probs,
      plain.map((prob, i) => (prob + mirrored[i]) / 2),
    );
    const { numTensors } = tf.memory();
    const counts: string[] = [];
    const ofCrops = await classifyViews(network, images, {
      views: "crops",
      onProgress: ({ done, total }) => counts.push(`${done} of ${total}`),
    });
    assert.deepEqual([counts[0], counts.at(-1), counts.length], ["0 of 2", "2 of 2", 12]);
    assert.equal(tf.memory().numTensors, numTensors);
    assert.deepEqual(ofCrops.slice(0, 2), [plain, mirrored]);
    assert.equal(new Set(ofCrops.map(String)).size, 12);
    network.dispose();
  });

  it("keeps the images' order and the last, smaller batch", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE });
    const images = noise(Array.from({ length: 131 }, (_, i) => i % 3)); // batches of 128
    const { probs, predicted } = await evaluate(network, images);
    for (const index of [0, 127, 128, 130]) {
      const pixels = new PixelSelection(images.pixels, Int32Array.of(index));
      const alone = { ...images, numImages: 1, labels: images.labels.slice(index, index + 1), pixels };
      const one = await evaluate(network, alone);
      one.probs.forEach((prob, c) => {
        isNear(probs[3 * index + c], prob);
      });
      assert.equal(predicted[index], one.predicted[0]);
    }
    assert.ok(Math.abs(probs[0] - probs[3 * 130]) > 1e-4, "the images differ");
    network.dispose();
  });

  it("accepts grey images, and images of another size", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE });
    const grey = noise([0, 1], { numChannels: 1 });
    const values = await grey.pixels.read(Int32Array.of(0, 1));
    const repeated = Uint8Array.from({ length: 3 * values.length }, (_, i) => values[Math.floor(i / 3)]);
    const colour = { ...noise([0, 1]), pixels: new PixelArray(repeated, 3 * IMAGE_SIZE ** 2) };
    assert.deepEqual(await evaluate(network, grey), await evaluate(network, colour));
    // Plain images differ only in their number of pixels when scaled.
    const plain = (imageSize: number) => {
      const imageBytes = 3 * imageSize ** 2;
      const pixels = new PixelArray(new Uint8Array(2 * imageBytes).fill(90), imageBytes);
      return evaluate(network, { ...noise([0, 1], { imageSize }), pixels });
    };
    const [exact, scaled] = [await plain(IMAGE_SIZE), await plain(20)];
    exact.probs.forEach((prob, i) => {
      isNear(scaled.probs[i], prob);
    });
    network.dispose();
  });

  it("refuses images of other classes", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE });
    const images = { ...noise([0, 1]), classNames: ["circle", "star"] };
    await assert.rejects(evaluate(network, images), {
      name: "InputError",
      message:
        "Expected images with labels of the model's classes circle, square, triangle but found the classes star. Rename the classes, or choose a model that was trained on them.",
    });
    await classify(network, images); // which uses no labels
    const padded = { ...images, decoding: { fit: "pad" } as const };
    await assert.rejects(classify(network, padded), {
      name: "InputError",
      message:
        'Expected images loaded with fit crop, as the model was trained on but found fit pad. Add fit: "crop" to the options of loadDataset.',
    });
    network.dispose();
  });

  it("leaves no tensors behind", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE });
    const images = noise([0, 1, 2]);
    await evaluate(network, images); // kernels keep constants from their first use on
    const before = tf.memory().numTensors;
    await evaluate(network, images);
    assert.equal(tf.memory().numTensors, before);
    network.dispose();
  });

  it("refuses labels outside the network's classes", async () => {
    const network = await constantNetwork();
    await assert.rejects(evaluate(network, noise([0, TINY.classNames.length])), {
      name: "ParameterError",
      message: "Expected an integer in [0, 3) for labels[1] but received 3 of type number",
    });
    network.dispose();
  });
});

const LETTERS = ["a", "b"];
const packed = (labels: number[]): PackedImages => ({
  pixels: new PixelArray(new Uint8Array(labels.length), 1),
  labels: Int32Array.from(labels),
  numImages: labels.length,
  imageSize: 1,
  numChannels: 1,
  paths: labels.map(String),
});
const dataset: Dataset = {
  name: "letters",
  classNames: LETTERS,
  split: "folders",
  train: packed([0, 1]),
  validation: packed([0, 0, 1, 1]),
};
/** Correct, wrong, correct, and correct but for its mirror image. */
const probs = Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.45, 0.55);
/** Means with their mirror images: the last is (0.55 + 0.25) / 2. */
const flipProbs = Float32Array.of(0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.6, 0.4);
const config = { ...TINY, classNames: LETTERS };
const groups = (validation: number[]) => Int32Array.from([0, 1, ...validation]);

function reportOf(given: Partial<Parameters<typeof evaluationReport>[0]> = {}) {
  const { labels } = dataset.validation;
  const evaluation = score(probs, labels, LETTERS);
  return evaluationReport({ dataset, config, evaluation, nearDuplicates: null, seed: 0, ...given });
}

describe("evaluationReport", () => {
  it("scores all images, with intervals around the scores", () => {
    const { accuracy, numImages, perClass, intervals, split, loss } = reportOf();
    assert.equal(accuracy, 3 / 4);
    assert.equal(numImages, 4);
    assert.equal(split, "folders");
    assert.deepEqual(perClass.a, { precision: 1, recall: 1 / 2, f1: 2 / 3, count: 2 });
    assert.ok(intervals.accuracy[0] <= 0.75 && intervals.accuracy[1] >= 0.75);
    const nats = -(Math.log(0.9) + Math.log(0.4) + Math.log(0.8) + Math.log(0.55)) / 4;
    assert.ok(Math.abs(loss - nats) < 1e-6);
  });

  it("leaves out duplicates and near-duplicates of training images", () => {
    const nearDuplicates: NearDuplicates = {
      duplicates: groups([2, 1, 4, 5]), // the second, which is wrong
      groups: groups([0, 1, 4, 4]), // the first too; the last two are near-duplicates of each other
      pairs: [],
      alike: new Int32Array(),
    };
    const { withoutDuplicates, withoutNearDuplicates, likeTraining } = reportOf({ nearDuplicates });
    assert.deepEqual(likeTraining, { duplicates: 1, nearDuplicates: 2 });
    assert.deepEqual([withoutDuplicates?.accuracy, withoutDuplicates?.numImages], [3 / 3, 3]);
    assert.deepEqual([withoutNearDuplicates?.accuracy, withoutNearDuplicates?.numImages], [2 / 2, 2]);
    const { accuracy, macroF1 } = withoutNearDuplicates?.intervals ?? {};
    assert.deepEqual(
      [accuracy?.map((bound) => bound.toFixed(3)), macroF1],
      [
        ["0.342", "1.000"],
        [1, 1],
      ],
    ); // 2 / (2 + 1.96²)
  });

  it("has neither without training images, or if no image is left", () => {
    assert.equal(reportOf().withoutDuplicates, null);
    const all = groups([0, 1, 0, 1]);
    const { withoutNearDuplicates, likeTraining } = reportOf({
      nearDuplicates: { duplicates: all, groups: all, pairs: [], alike: new Int32Array() },
    });
    assert.equal(withoutNearDuplicates, null);
    assert.deepEqual([reportOf().likeTraining, likeTraining], [null, { duplicates: 4, nearDuplicates: 4 }]);
  });

  it("draws groups of images for its intervals, also for those of a part", () => {
    assert.equal(reportOf().numGroups, 4);
    const nearDuplicates: NearDuplicates = {
      duplicates: groups([0, 3, 4, 5]), // the first
      groups: groups([0, 3, 4, 5]),
      pairs: [],
      alike: new Int32Array(),
    };
    const { numGroups, intervals, withoutDuplicates, largestClass } = reportOf({
      nearDuplicates,
      groups: Int32Array.of(0, 0, 2, 2),
      evaluation: score(
        Float32Array.of(0.9, 0.1, 0.9, 0.1, 0.2, 0.8, 0.2, 0.8),
        dataset.validation.labels,
        LETTERS,
      ),
    });
    assert.deepEqual([numGroups, withoutDuplicates?.numGroups, largestClass?.isBeaten], [2, 2, false]);
    const low = (of: number) => (of / (of + 1.96 ** 2)).toFixed(6); // all are correct
    assert.deepEqual(
      [intervals.accuracy[0], withoutDuplicates?.intervals.accuracy[0]].map((bound) => bound?.toFixed(6)),
      [low(2), low(2)],
    );
  });

  it("undoes the temperature for the calibration error before calibration", () => {
    assert.deepEqual([reportOf().eceUncalibrated, reportOf().temperature], [null, null]);
    const calibration = { temperature: 0.5, numImages: 100 };
    const { ece, eceUncalibrated, temperature } = reportOf({ config: { ...config, calibration } });
    assert.equal(temperature, 0.5);
    // Each image has its own bin: the mean gap to 0 or 1.
    const gap = (values: Float32Array) => (1 - values[0] + values[3] + (1 - values[5]) + (1 - values[7])) / 4;
    assert.ok(Math.abs(ece - gap(probs)) < 1e-6);
    assert.ok(Math.abs((eceUncalibrated as number) - gap(withTemperature(probs, 2, 2))) < 1e-6);
  });

  it("scores means over more views if given, also without duplicates", () => {
    assert.deepEqual([reportOf().flip, reportOf().crops], [null, null]);
    const nearDuplicates: NearDuplicates = {
      duplicates: groups([2, 1, 4, 5]), // the second, which is wrong
      groups: groups([0, 1, 4, 4]), // the first too
      pairs: [],
      alike: new Int32Array(),
    };
    const { flip, crops } = reportOf({ viewProbs: { flip: flipProbs, crops: probs }, nearDuplicates });
    assert.equal(flip?.accuracy, 2 / 4);
    assert.ok(
      Math.abs((flip?.loss ?? 0) + (Math.log(0.9) + Math.log(0.4) + Math.log(0.8) + Math.log(0.4)) / 4) <
        1e-6,
    );
    // Each image has its own bin, but for the two of 0.6.
    assert.ok(Math.abs((flip?.ece ?? 0) - (0.1 + 2 * 0.6 + 0.2) / 4) < 1e-6);
    assert.deepEqual([flip?.withoutDuplicates?.accuracy, flip?.withoutDuplicates?.numImages], [2 / 3, 3]);
    assert.equal(flip?.withoutNearDuplicates?.accuracy, 1 / 2);
    assert.equal(crops?.accuracy, 3 / 4);
  });
});
