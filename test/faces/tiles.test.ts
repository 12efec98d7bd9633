import assert from "node:assert/strict";
import { isCutOff, tiledCopies } from "../../src/faces/tiles.js";

describe("tiledCopies", () => {
  it("looks at a small photograph as a whole, enlarged", () => {
    assert.deepEqual(tiledCopies(256, 128), [
      { width: 512, height: 256, tiles: [{ left: 0, top: 0, width: 512, height: 256 }] },
    ]);
  });

  it("looks at a large one as a whole and in four tiles that overlap", () => {
    const [whole, parts] = tiledCopies(4000, 3000);
    assert.deepEqual([whole.width, whole.height, whole.tiles.length], [512, 384, 1]);
    assert.deepEqual([parts.width, parts.height], [896, 672]);
    assert.deepEqual(
      parts.tiles.map(({ left, top, width, height }) => [left, top, width, height]),
      [
        [0, 0, 512, 512],
        [384, 0, 512, 512],
        [0, 160, 512, 512],
        [384, 160, 512, 512],
      ],
    );
  });

  it("never enlarges a photograph to look at its parts", () => {
    const [, parts] = tiledCopies(600, 300);
    assert.deepEqual([parts.width, parts.height], [600, 300]);
    assert.deepEqual(
      parts.tiles.map(({ left, width, height }) => [left, width, height]),
      [
        [0, 512, 300],
        [88, 512, 300],
      ],
    );
  });

  it("keeps a pixel of the shorter side, however long the photograph", () => {
    assert.deepEqual(
      tiledCopies(5000, 2).map(({ width, height }) => [width, height]),
      [
        [512, 1],
        [896, 1],
      ],
    );
  });
});

describe("isCutOff", () => {
  const [, parts] = tiledCopies(4000, 3000);
  const [first, , , last] = parts.tiles;

  it("tells a face at an edge behind which the photograph goes on", () => {
    assert.ok(isCutOff({ left: 480, top: 100, width: 31, height: 40 }, first, parts));
    assert.ok(isCutOff({ left: 100, top: 1, width: 30, height: 40 }, last, parts));
  });

  it("lets a face at the photograph's border pass", () => {
    assert.ok(!isCutOff({ left: 0, top: 0, width: 30, height: 40 }, first, parts));
    assert.ok(!isCutOff({ left: 480, top: 470, width: 32, height: 42 }, last, parts));
  });

  it("lets a face inside pass", () => {
    assert.ok(!isCutOff({ left: 200, top: 200, width: 30, height: 40 }, first, parts));
  });
});
