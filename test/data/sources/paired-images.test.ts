import assert from "node:assert/strict";
import type { Sample } from "../../../src/data/sources/listing.js";
import { pairedNotes } from "../../../src/data/sources/paired-images.js";

const notes = (...files: string[]) =>
  pairedNotes(
    files.map((path): Sample => ({ path, className: path.split("/")[0], split: null, size: 1, changed: "" })),
  );
const paired = (count: string, first: string, partner: string, pattern: string) =>
  `${count} images are named after another one, such as ${first} after ${partner}. If they are masks, thumbnails or altered copies, add --leave-out '${pattern}'.`;

describe("pairedNotes", () => {
  it("names images that are called as another with a further word", () => {
    assert.deepEqual(notes("a/a (1).png", "a/a (1)_mask.png", "b/b (1).png", "b/b (1)_mask.png"), [
      paired("2 of 4", "a/a (1)_mask.png", "a/a (1).png", "*_mask.*"),
    ]);
    assert.deepEqual(notes("a/1.jpg", "a/1_mask_1.png", "a/1_mask_2.png", "b/2.jpg"), [
      paired("2 of 4", "a/1_mask_1.png", "a/1.jpg", "*_mask*.*"),
    ]);
    assert.deepEqual(notes("a/1.jpg", "a/thumb-1.jpg", "b/2.jpg", "b/thumb-2.jpg"), [
      paired("2 of 4", "a/thumb-1.jpg", "a/1.jpg", "thumb-*"),
    ]);
  });

  it("names thumbnails with a size, altered copies in one class, and masks beside images with a word", () => {
    const many = Array.from({ length: 100 }, (_, i) => `b/${i}.jpg`);
    assert.deepEqual(notes("a/0.png", "a/0-150x150.png", "a/0-300x200.png", "b/1.png"), [
      paired("2 of 4", "a/0-150x150.png", "a/0.png", "*-???x???.*"),
    ]);
    assert.deepEqual(notes("a/x_1.jpg", "a/x_1_aug1.jpg", "a/x_1_aug2.jpg", ...many), [
      paired("2 of 103", "a/x_1_aug1.jpg", "a/x_1.jpg", "*_aug*.*"),
    ]);
    assert.deepEqual(notes("a/image_0.png", "a/mask_0.png", "a/image_1.png", "a/mask_1.png", ...many), [
      paired("2 of 104", "a/mask_0.png", "a/image_0.png", "mask_*"),
    ]);
  });

  it("names images that are called as another but for the ending", () => {
    assert.deepEqual(notes("a/1.png", "a/1.jpg", "b/2.jpg", "b/2.png"), [
      paired("2 of 4", "a/1.png", "a/1.jpg", "*.png"),
    ]);
  });

  it("names folders of masks and copies in classes", () => {
    assert.deepEqual(notes("a/1.jpg", "a/thumbs/1.jpg", "a/thumbs/2.jpg", "b/Originals/3.jpg", "b/4.jpg"), [
      "2 images in folders named thumbs are read as their class, such as a/thumbs/1.jpg. If they are masks or copies, add --leave-out thumbs.",
      "1 image in folders named Originals is read as their class, such as b/Originals/3.jpg. If they are masks or copies, add --leave-out Originals.",
    ]);
  });

  it("says nothing about numbered names, a single pair, other folders and other names", () => {
    assert.deepEqual(notes("a/img.png", "a/img_1.png", "a/img_2.png", "b/cat 1.png", "b/cat 2.png"), []);
    assert.deepEqual(notes("a/1.png", "a/1_mask.png", "b/2.png"), []);
    assert.deepEqual(notes("a/1.png", "b/1_mask.png", "a/2.png", "b/2_mask.png"), []);
    assert.deepEqual(notes("thumbs/1.png", "thumbs/2.png", "fists/1.png", "fists/2.png"), []);
    const many = Array.from({ length: 50 }, (_, i) => `a/${i}.jpg`);
    assert.deepEqual(notes(...many, "a/1_x.jpg", "a/2_x.jpg"), []);
  });
});
