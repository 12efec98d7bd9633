import assert from "node:assert/strict";
import type { NearDuplicates } from "../../src/data/audit/near-duplicates.js";
import type { Dataset, PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { nearDuplicatePictures } from "../../src/show/similar-pictures.js";

/** Plain images, a grey for each. */
function packed(split: string, labels: number[]): PackedImages {
  const bytes = new Uint8Array(4 * labels.length).map(
    (_, i) => 10 * Math.floor(i / 4) + (split === "train" ? 0 : 5),
  );
  return {
    pixels: new PixelArray(bytes, 4),
    labels: Int32Array.from(labels),
    numImages: labels.length,
    imageSize: 2,
    numChannels: 1,
    paths: labels.map((label, i) => `${split}/${label}/${i}.png`),
  };
}

const dataset: Dataset = {
  name: "greys",
  classNames: ["dark", "light"],
  train: packed("train", [0, 1, 0]),
  validation: packed("validation", [0, 1]),
};
const pair = (a: number, b: number, isMirrored = false) => ({
  indices: [a, b] as [number, number],
  similarity: 0.9,
  isMirrored,
});
const found: NearDuplicates = {
  duplicates: Int32Array.of(0, 1, 2, 3, 4),
  groups: Int32Array.of(0, 1, 2, 0, 2),
  pairs: [pair(0, 3), pair(2, 4), pair(0, 2, true)],
};

describe("nearDuplicatePictures", () => {
  it("has the pictures, classes and files of each pair, under what they have in common", async () => {
    const groups = await nearDuplicatePictures(dataset, found, 4);
    assert.deepEqual(
      groups.map(({ heading, pairs }) => [heading, pairs.map(({ captions, detail }) => [captions, detail])]),
      [
        ["One in train, one in validation", [[["dark", "dark"], "0.png, 0.png"]]],
        ["Different labels", [[["dark", "light"], "2.png, 1.png"]]],
        ["Mirrored", []], // of a group that is shown already
        ["In the same split, with the same label", []],
      ],
    );
    const [a, b] = groups[0].pairs[0].images;
    assert.match(a, /^data:image\/png;base64,/);
    assert.notEqual(a, b);
  });
});
