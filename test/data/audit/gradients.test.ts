import assert from "node:assert/strict";
import { gradients, hasContrast, similarity } from "../../../src/data/audit/gradients.js";
import { THUMBNAIL_SIZE as SIZE } from "../../../src/data/audit/thumbnail.js";
import { Random } from "../../../src/random.js";

/** Noise in the rows and columns that are asked for, 100 elsewhere. */
function noise(seed: number, isIn: (y: number, x: number) => boolean): Uint8Array {
  const random = new Random(seed, "thumbnail");
  return Uint8Array.from({ length: SIZE * SIZE }, (_, i) => {
    const value = random.integer(200);
    return isIn(Math.floor(i / SIZE), i % SIZE) ? value : 100;
  });
}
const isMiddle = (y: number, x: number) => [y, x].every((at) => at >= 6 && at <= 12); // with the neighbours across
const everywhere = noise(0, () => true);

describe("gradients", () => {
  it("are the differences to the next part along and across, the middle ninth apart", () => {
    const { whole, middle } = gradients(
      Uint8Array.from({ length: SIZE * SIZE }, (_, i) => 3 * (i % SIZE) + 5 * Math.floor(i / SIZE)),
      1,
    );
    assert.deepEqual([whole.length, middle.length], [2 * 17 * 17, 2 * 6 * 6]);
    for (const values of [whole, middle])
      values.forEach((value, i) => {
        assert.equal(value, i % 2 ? 5 : 3);
      });
  });
});

describe("hasContrast", () => {
  it("is false for an image of one colour, or nearly", () => {
    assert.equal(hasContrast(gradients(new Uint8Array(SIZE * SIZE).fill(200), 1)), false);
    assert.equal(
      hasContrast(
        gradients(
          everywhere.map((value) => (value > 190 ? 1 : 0)),
          1,
        ),
      ),
      false,
    );
    assert.equal(hasContrast(gradients(everywhere, 1)), true);
  });
});

describe("similarity", () => {
  const of = (a: Uint8Array, b: Uint8Array) => similarity(gradients(a, 1), gradients(b, 1));

  it("does not count brightness and contrast", () => {
    const lighter = everywhere.map((value) => Math.round(value / 2) + 90);
    assert.ok((of(everywhere, lighter) as number) > 0.999);
    assert.equal(of(everywhere, everywhere), 1);
  });

  it("is null for other images, and where one shows nothing", () => {
    assert.equal(
      of(
        everywhere,
        noise(1, () => true),
      ),
      null,
    );
    assert.equal(of(everywhere, new Uint8Array(SIZE * SIZE)), null);
  });

  it("is null where all but the middle is the same", () => {
    const [a, b] = [1, 2].map((seed) => {
      const inside = noise(seed, isMiddle);
      return everywhere.map((value, i) => (isMiddle(Math.floor(i / SIZE), i % SIZE) ? inside[i] : value));
    });
    assert.equal(of(a, b), null);
  });

  it("is null where the middle alone is the same", () => {
    const [a, b] = [1, 2].map((seed) => {
      const outside = noise(seed, () => true);
      return outside.map((value, i) => (isMiddle(Math.floor(i / SIZE), i % SIZE) ? everywhere[i] : value));
    });
    assert.equal(of(a, b), null);
  });
});
