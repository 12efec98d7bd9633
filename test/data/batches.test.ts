import assert from "node:assert/strict";
import { type Batch, batches, gather, numBatches } from "../../src/data/batches.js";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray, type Pixels } from "../../src/data/pixels/pixels.js";
import { tf } from "../../src/engine/tf.js";

/** Images of 2×2 pixels, whose values are 20 · image + position; labels count down from 9. */
function packed(numImages: number, numChannels: 1 | 3): PackedImages {
  const length = 2 * 2 * numChannels;
  const bytes = Uint8Array.from(
    { length: numImages * length },
    (_, i) => 20 * Math.floor(i / length) + (i % length),
  );
  const labels = Int32Array.from({ length: numImages }, (_, i) => 9 - i);
  const pixels = new PixelArray(bytes, length);
  const paths = Array.from(labels, (_, i) => `${i}.png`);
  return { pixels, labels, numImages, imageSize: 2, numChannels, paths };
}

const IN_ORDER = { batchSize: 4, shuffle: false, seed: 0, epoch: 1, dropLast: false };
const SHUFFLED = { ...IN_ORDER, shuffle: true };

async function collect(images: PackedImages, options: Parameters<typeof batches>[1]) {
  const all: { values: number[]; labels: number[]; indices: number[] }[] = [];
  for await (const { images: tensor, labels, indices } of batches(images, options)) {
    all.push({ values: [...tensor.dataSync()], labels: [...labels], indices: [...indices] });
    tensor.dispose();
  }
  return all;
}
const order = async (images: PackedImages, options: Parameters<typeof batches>[1]) =>
  (await collect(images, options)).flatMap(({ indices }) => indices);

describe("numBatches", () => {
  it("counts a last batch that is not full, unless it is dropped", () => {
    assert.equal(numBatches(10, 4, false), 3); // 4 + 4 + 2
    assert.equal(numBatches(10, 4, true), 2);
    assert.equal(numBatches(8, 4, false), 2);
    assert.equal(numBatches(3, 4, true), 0);
  });
});

describe("batches", () => {
  it("gives every image once, in the order of the packed images, the last batch smaller", async () => {
    const all = await collect(packed(10, 1), IN_ORDER);
    assert.deepEqual(
      all.map(({ indices }) => indices),
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
      ],
    );
    assert.deepEqual(
      all.map(({ labels }) => labels),
      [
        [9, 8, 7, 6],
        [5, 4, 3, 2],
        [1, 0],
      ],
    );
  });

  it("leaves out a last batch that is not full if dropLast is set", async () => {
    assert.deepEqual(await order(packed(10, 1), { ...IN_ORDER, dropLast: true }), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("shuffles by the seed and the epoch only, with any batch size", async () => {
    const images = packed(10, 1);
    const first = await order(images, SHUFFLED);
    assert.deepEqual([...first].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.notDeepEqual(first, await order(images, IN_ORDER));
    assert.deepEqual(first, await order(images, { ...SHUFFLED, batchSize: 3 }));
    assert.notDeepEqual(first, await order(images, { ...SHUFFLED, epoch: 2 }));
    assert.notDeepEqual(first, await order(images, { ...SHUFFLED, seed: 1 }));
  });

  it("keeps each image's pixels and label together when shuffled", async () => {
    for (const { values, labels, indices } of await collect(packed(10, 3), SHUFFLED))
      indices.forEach((index, i) => {
        assert.equal(labels[i], 9 - index);
        assert.deepEqual(
          values.slice(i * 12, (i + 1) * 12),
          Array.from({ length: 12 }, (_, position) => 20 * index + position),
        );
      });
  });

  it("starts at a batch as if it had given the earlier ones", async () => {
    const images = packed(10, 1);
    const whole = await collect(images, SHUFFLED);
    assert.deepEqual(await collect(images, { ...SHUFFLED, startBatch: 2 }), whole.slice(2));
    assert.deepEqual(await collect(images, { ...SHUFFLED, startBatch: 3 }), []);
  });

  it("makes a batch only on request, and leaves no other tensor", async () => {
    const before = tf.memory().numTensors;
    const pass = batches(packed(10, 1), SHUFFLED);
    assert.equal(tf.memory().numTensors, before);
    const { images } = (await pass.next()).value as Batch;
    assert.equal(tf.memory().numTensors, before + 1);
    images.dispose();
    await pass.return();
    assert.equal(tf.memory().numTensors, before);
  });

  it("reads the pixels of the next batch while the caller works on a batch", async () => {
    const images = packed(10, 1);
    const [asked, given]: number[][][] = [[], []];
    const pixels: Pixels = {
      async read(indices) {
        asked.push([...indices]);
        const values = await images.pixels.read(indices);
        await new Promise(setImmediate);
        given.push([...indices]);
        return values;
      },
    };
    const seen: number[][] = [];
    for await (const batch of batches({ ...images, pixels }, IN_ORDER)) {
      batch.images.dispose();
      seen.push([asked.length, given.length]);
      await new Promise(setImmediate); // the work
      seen.push([asked.length, given.length]);
    }
    const [first, second, third] = [
      [2, 1, 2, 2],
      [3, 2, 3, 3],
      [3, 3, 3, 3],
    ];
    assert.deepEqual(seen.flat(), [...first, ...second, ...third]);
  });

  it("throws a read error when its batch is requested, and not if nobody requests it", async () => {
    const images = packed(10, 1);
    const pixels: Pixels = {
      read: (indices) =>
        indices[0] === 4 ? Promise.reject(new Error("cut short")) : images.pixels.read(indices),
    };
    const rejected: unknown[] = [];
    const note = (reason: unknown) => rejected.push(reason);
    process.on("unhandledRejection", note);
    try {
      const pass = batches({ ...images, pixels }, IN_ORDER);
      const first = (await pass.next()).value as Batch;
      first.images.dispose();
      await new Promise(setImmediate);
      assert.deepEqual(rejected, []);
      await assert.rejects(pass.next(), { message: "cut short" });
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  const cases: [object, string][] = [
    [{ batchSize: 0 }, "Expected an integer ≥ 1 for batchSize but received 0 of type number"],
    [{ batchSize: 2.5 }, "Expected an integer ≥ 1 for batchSize but received 2.5 of type number"],
    [{ batchSize: "8" }, "Expected an integer ≥ 1 for batchSize but received 8 of type string"],
    [{ seed: Number.NaN }, "Expected an integer ≥ 0 for seed but received NaN of type number"],
    [{ epoch: -1 }, "Expected an integer ≥ 0 for epoch but received -1 of type number"],
    [{ numEvenBatches: 2.5 }, "Expected an integer ≥ 1 for numEvenBatches but received 2.5 of type number"],
    [{ numEvenBatches: 0 }, "Expected an integer ≥ 1 for numEvenBatches but received 0 of type number"],
    [{ startBatch: 4 }, "Expected an integer in [0, 3] for startBatch but received 4 of type number"],
  ];
  for (const [options, message] of cases)
    it(`refuses ${Object.entries(options).flat().join(" ")} when it is called, before the first batch`, () => {
      const error = { name: "ParameterError", message };
      assert.throws(() => batches(packed(10, 1), { ...IN_ORDER, ...options }), error);
    });
});

describe("gather", () => {
  it("repeats the channel of grey images", async () => {
    const { images } = await gather(packed(3, 1), Int32Array.of(2, 0));
    assert.deepEqual(images.shape, [2, 2, 2, 3]);
    assert.equal(images.dtype, "float32");
    assert.deepEqual(
      [...images.dataSync()],
      [
        ...[40, 40, 40, 41, 41, 41, 42, 42, 42, 43, 43, 43], // image 2
        ...[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
      ],
    );
    images.dispose();
  });

  it("takes the shares of classes of each image", async () => {
    const labelShares = Float32Array.of(1, 0, 0.25, 0.75, 0.5, 0.5);
    const batch = await gather({ ...packed(3, 1), labelShares }, Int32Array.of(2, 0));
    assert.deepEqual(batch.labelShares, Float32Array.of(0.5, 0.5, 1, 0));
    batch.images.dispose();
    const plain = await gather(packed(3, 1), Int32Array.of(2, 0));
    assert.ok(!("labelShares" in plain));
    plain.images.dispose();
  });

  it("takes the channels of colour images as they are", async () => {
    const { images, labels } = await gather(packed(3, 3), Int32Array.of(1));
    assert.deepEqual([...images.dataSync()], [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
    assert.deepEqual([...labels], [8]);
    images.dispose();
  });
});
