import assert from "node:assert/strict";
import { type Batch, batches, gather, numBatches } from "../../src/data/batches.js";
import type { PackedImages } from "../../src/data/packed.js";
import { tf } from "../../src/engine/tf.js";

/** Images of 2×2 pixels, where each value tells its image (tens) and its place (ones); labels count down from 9. */
function packed(numImages: number, numChannels: 1 | 3): PackedImages {
  const length = 2 * 2 * numChannels;
  const pixels = Uint8Array.from(
    { length: numImages * length },
    (_, i) => 20 * Math.floor(i / length) + (i % length),
  );
  const labels = Int32Array.from({ length: numImages }, (_, i) => 9 - i);
  const paths = Array.from(labels, (_, i) => `${i}.png`);
  return { pixels, labels, numImages, imageSize: 2, numChannels, paths };
}

const IN_ORDER = { batchSize: 4, shuffle: false, seed: 0, epoch: 1, dropLast: false };
const SHUFFLED = { ...IN_ORDER, shuffle: true };

function collect(images: PackedImages, options: Parameters<typeof batches>[1]) {
  return Array.from(batches(images, options), ({ images, labels, indices }) => {
    const values = [...images.dataSync()];
    images.dispose();
    return { values, labels: [...labels], indices: [...indices] };
  });
}
const order = (images: PackedImages, options: Parameters<typeof batches>[1]) =>
  collect(images, options).flatMap(({ indices }) => indices);

describe("numBatches", () => {
  it("counts a last batch that is not full, unless it is dropped", () => {
    assert.equal(numBatches(10, 4, false), 3); // 4 + 4 + 2
    assert.equal(numBatches(10, 4, true), 2);
    assert.equal(numBatches(8, 4, false), 2);
    assert.equal(numBatches(3, 4, true), 0);
  });
});

describe("batches", () => {
  it("gives every image once, in the order of the packed images, the last batch smaller", () => {
    const all = collect(packed(10, 1), IN_ORDER);
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

  it("leaves out a last batch that is not full when told to", () => {
    assert.deepEqual(order(packed(10, 1), { ...IN_ORDER, dropLast: true }), [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("shuffles to an order of the seed and the epoch alone, whatever the batch size", () => {
    const images = packed(10, 1);
    const first = order(images, SHUFFLED);
    assert.deepEqual([...first].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.notDeepEqual(first, order(images, IN_ORDER));
    assert.deepEqual(first, order(images, { ...SHUFFLED, batchSize: 3 }));
    assert.notDeepEqual(first, order(images, { ...SHUFFLED, epoch: 2 }));
    assert.notDeepEqual(first, order(images, { ...SHUFFLED, seed: 1 }));
  });

  it("keeps each image's pixels and label together when shuffled", () => {
    for (const { values, labels, indices } of collect(packed(10, 3), SHUFFLED))
      indices.forEach((index, i) => {
        assert.equal(labels[i], 9 - index);
        assert.deepEqual(
          values.slice(i * 12, (i + 1) * 12),
          Array.from({ length: 12 }, (_, place) => 20 * index + place),
        );
      });
  });

  it("goes on from a batch as if it had given the ones before", () => {
    const images = packed(10, 1);
    const whole = collect(images, SHUFFLED);
    assert.deepEqual(collect(images, { ...SHUFFLED, startBatch: 2 }), whole.slice(2));
    assert.deepEqual(collect(images, { ...SHUFFLED, startBatch: 3 }), []);
  });

  it("makes a batch only when it is asked for, and leaves no tensor behind but it", () => {
    const before = tf.memory().numTensors;
    const pass = batches(packed(10, 1), SHUFFLED);
    assert.equal(tf.memory().numTensors, before);
    const { images } = pass.next().value as Batch;
    assert.equal(tf.memory().numTensors, before + 1);
    images.dispose();
    pass.return();
    assert.equal(tf.memory().numTensors, before);
  });

  const cases: [object, string][] = [
    [{ batchSize: 0 }, "Expected an integer ≥ 1 for batchSize but received 0 of type number"],
    [{ batchSize: 2.5 }, "Expected an integer ≥ 1 for batchSize but received 2.5 of type number"],
    [{ batchSize: "8" }, "Expected an integer ≥ 1 for batchSize but received 8 of type string"],
    [{ seed: Number.NaN }, "Expected an integer ≥ 0 for seed but received NaN of type number"],
    [{ epoch: -1 }, "Expected an integer ≥ 0 for epoch but received -1 of type number"],
    [{ startBatch: 4 }, "Expected an integer in [0, 3] for startBatch but received 4 of type number"],
  ];
  for (const [options, message] of cases)
    it(`refuses ${Object.entries(options).flat().join(" ")} when it is called, before the first batch`, () => {
      const error = { name: "ParameterError", message };
      assert.throws(() => batches(packed(10, 1), { ...IN_ORDER, ...options }), error);
    });
});

describe("gather", () => {
  it("repeats the channel of grey images", () => {
    const { images } = gather(packed(3, 1), Int32Array.of(2, 0));
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

  it("takes the channels of colour images as they are", () => {
    const { images, labels } = gather(packed(3, 3), Int32Array.of(1));
    assert.deepEqual([...images.dataSync()], [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
    assert.deepEqual([...labels], [8]);
    images.dispose();
  });
});
