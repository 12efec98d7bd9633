import assert from "node:assert/strict";
import {
  averagePooling,
  gradientCorrelation,
  hasContrast,
  mirror,
  THUMBNAIL_SIZE as SIDE,
} from "../../../src/data/audit/thumbnails.js";
import { Random } from "../../../src/random.js";

describe("averagePooling", () => {
  it("takes the means of whole parts", () => {
    const side = 2 * SIDE;
    const pixels = Uint8Array.from({ length: side * side }, (_, i) => ((i % side) % 2 ? 30 : 10));
    assert.deepEqual([...new Set(averagePooling(side, 1, SIDE)(pixels))], [20]);
  });

  it("divides a pixel between the parts that it overlaps", () => {
    // 27 pixels in a row, 1.5 in a part: the first part is pixel 0 and half of pixel 1.
    const pixels = Uint8Array.from({ length: 27 * 27 }, (_, i) =>
      i % 27 === 0 ? 90 : i % 27 === 1 ? 30 : 0,
    );
    const grid = averagePooling(27, 1, SIDE)(pixels);
    assert.ok(Math.abs(grid[0] - (90 + 30 / 2) / 1.5) < 1e-4);
    assert.ok(Math.abs(grid[1] - 30 / 2 / 1.5) < 1e-4);
  });

  it("keeps channels apart, and accepts images smaller than a grid", () => {
    const grid = averagePooling(1, 3, SIDE)(Uint8Array.of(10, 20, 30));
    assert.equal(grid.length, SIDE * SIDE * 3);
    for (let i = 0; i < grid.length; i++) assert.ok(Math.abs(grid[i] - 10 * ((i % 3) + 1)) < 1e-4);
  });
});

describe("mirror", () => {
  it("reverses each row, channel by channel", () => {
    const colour = Uint8Array.from(
      { length: 3 * SIDE * SIDE },
      (_, i) => (Math.floor(i / 3) % SIDE) * 10 + (i % 3),
    );
    const turned = mirror(colour, SIDE, 3);
    assert.deepEqual([...turned.subarray(0, 3)], [170, 171, 172]);
    assert.deepEqual([...turned.subarray(3 * SIDE - 3, 3 * SIDE)], [0, 1, 2]);
    assert.deepEqual(mirror(turned, SIDE, 3), colour);
  });
});

/** A thumbnail of noise. */
const noise = (seed: number) => {
  const random = new Random(seed, "thumbnail");
  return Uint8Array.from({ length: SIDE * SIDE }, () => random.integer(200));
};

describe("gradientCorrelation", () => {
  it("ignores brightness and contrast", () => {
    const lighter = noise(0).map((value) => Math.round(value / 2) + 90);
    assert.ok(gradientCorrelation(noise(0), lighter, 1) > 0.999);
    assert.ok(Math.abs(gradientCorrelation(noise(0), noise(0), 1) - 1) < 1e-9);
  });

  it("is low for other images, and 0 if one shows nothing", () => {
    assert.ok(Math.abs(gradientCorrelation(noise(0), noise(1), 1)) < 0.2);
    assert.equal(gradientCorrelation(noise(0), new Uint8Array(SIDE * SIDE), 1), 0);
  });
});

describe("hasContrast", () => {
  it("is false for an image of one colour, or nearly", () => {
    assert.equal(hasContrast(new Uint8Array(SIDE * SIDE).fill(200), 1), false);
    assert.equal(
      hasContrast(
        noise(0).map((value) => (value > 190 ? 1 : 0)),
        1,
      ),
      false,
    );
    assert.equal(hasContrast(noise(0), 1), true);
  });
});
