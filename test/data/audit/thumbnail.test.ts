import assert from "node:assert/strict";
import {
  differenceHash,
  hashDistance,
  mirrored,
  THUMBNAIL_SIZE as SIZE,
  thumbnailer,
} from "../../../src/data/audit/thumbnail.js";

describe("thumbnailer", () => {
  it("takes the means of whole parts", () => {
    const side = 2 * SIZE;
    const pixels = Uint8Array.from({ length: side * side }, (_, i) => ((i % side) % 2 ? 30 : 10));
    const thumbnail = thumbnailer(side, 1)(pixels);
    assert.deepEqual([...new Set(thumbnail)], [20]);
  });

  it("shares a pixel between the parts that it lies in", () => {
    // 27 pixels a line, 1.5 a part: the first part is pixel 0 and half of pixel 1.
    const pixels = Uint8Array.from({ length: 27 * 27 }, (_, i) =>
      i % 27 === 0 ? 90 : i % 27 === 1 ? 30 : 0,
    );
    const thumbnail = thumbnailer(27, 1)(pixels);
    assert.ok(Math.abs(thumbnail[0] - (90 + 30 / 2) / 1.5) < 1e-4);
    assert.ok(Math.abs(thumbnail[1] - 30 / 2 / 1.5) < 1e-4);
  });

  it("keeps channels apart, and takes images smaller than a thumbnail", () => {
    const thumbnail = thumbnailer(1, 3)(Uint8Array.of(10, 20, 30));
    assert.equal(thumbnail.length, SIZE * SIZE * 3);
    for (let i = 0; i < thumbnail.length; i++) assert.ok(Math.abs(thumbnail[i] - 10 * ((i % 3) + 1)) < 1e-4);
  });
});

const rising = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => 10 * (i % SIZE));

describe("mirrored", () => {
  it("turns each line around, channel by channel", () => {
    const colour = Uint8Array.from(
      { length: 3 * SIZE * SIZE },
      (_, i) => (Math.floor(i / 3) % SIZE) * 10 + (i % 3),
    );
    const turned = mirrored(colour, 3);
    assert.deepEqual([...turned.subarray(0, 3)], [170, 171, 172]);
    assert.deepEqual([...turned.subarray(3 * SIZE - 3, 3 * SIZE)], [0, 1, 2]);
    assert.deepEqual(mirrored(turned, 3), colour);
  });
});

describe("differenceHash", () => {
  it("tells where an image gets lighter, along and across", () => {
    const [right, right2, down, down2] = differenceHash(rising, 1);
    assert.deepEqual([right, right2, down, down2], [0xffffffff, 0xffffffff, 0, 0]);
    assert.deepEqual([...differenceHash(mirrored(rising, 1), 1)], [0, 0, 0, 0]);
  });

  it("does not change with brightness and contrast", () => {
    const noisy = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (i * 7919) % 100);
    assert.deepEqual(
      differenceHash(
        noisy.map((value) => 2 * value + 40),
        1,
      ),
      differenceHash(noisy, 1),
    );
  });
});

describe("hashDistance", () => {
  it("counts the bits that differ, of all words", () => {
    const hashes = Uint32Array.of(0, 0xffffffff, 1, 0, /**/ 0b1011, 0, 0, 0x80000000);
    assert.equal(hashDistance(hashes, 0, 1), 3 + 32 + 1 + 1);
    assert.equal(hashDistance(hashes, 1, 1), 0);
  });
});
