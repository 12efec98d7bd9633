import assert from "node:assert/strict";
import { flatten } from "../src/config.js";

describe("flatten", () => {
  it("names inner values by dots, and takes a list or null as one value", () => {
    assert.deepEqual(
      [...flatten({ epochs: 3, augment: { zoom: [0.9, 1.1], deeper: { none: null } } })],
      [
        ["epochs", 3],
        ["augment.zoom", [0.9, 1.1]],
        ["augment.deeper.none", null],
      ],
    );
  });
});
