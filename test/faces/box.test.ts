import assert from "node:assert/strict";
import { withoutRepeats } from "../../src/faces/box.js";

const found = (left: number, top: number, side: number, score: number) => ({
  box: { left, top, width: side, height: side },
  score,
});

describe("withoutRepeats", () => {
  it("keeps the surer of two boxes of one face", () => {
    // 8 · 8 = 64 shared, of 100 + 100 − 64 = 136 together: 0.47
    const [a, b] = [found(0, 0, 10, 0.6), found(2, 2, 10, 0.9)];
    assert.deepEqual(withoutRepeats([a, b]), [b]);
  });

  it("keeps neighbours that overlap a little", () => {
    // 2 · 10 = 20 shared, of 180 together: 0.11
    const faces = [found(0, 0, 10, 0.9), found(8, 0, 10, 0.6)];
    assert.deepEqual(withoutRepeats(faces), faces);
  });

  it("leaves out a part of a face", () => {
    // 16 shared, all of the smaller, of 100 together: 0.16
    assert.deepEqual(withoutRepeats([found(0, 0, 10, 0.9), found(3, 3, 4, 0.5)]), [found(0, 0, 10, 0.9)]);
  });

  it("does not let a box that is left out suppress another", () => {
    const [a, b, c] = [found(0, 0, 10, 0.9), found(4, 0, 10, 0.8), found(8, 0, 10, 0.7)];
    assert.deepEqual(withoutRepeats([c, b, a]), [a, c]);
  });
});
