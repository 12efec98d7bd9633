import assert from "node:assert/strict";
import { readKnownNames, readLabelPattern, suggestPattern } from "../../../src/data/sources/file-names.js";
import { imagesBelow, walkFolder } from "../../../src/data/sources/files.js";
import type { Listing } from "../../../src/data/sources/listing.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

const files = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "x"]));
const labels = (listing: Listing | null) =>
  listing?.samples.map(({ path, className, split }) => `${path} ${className}${split ? ` ${split}` : ""}`);

describe("file names", () => {
  const inFolder = temporaryFolder();
  const walk = (...names: string[]) => walkFolder(writeFiles(inFolder("data"), files(...names)));

  it("are read by a pattern, also below folders for the parts of a split", () => {
    const listing = readLabelPattern(walk("cat.1.jpg", "dog.12.jpg", "x.txt", "7.jpg"), "^([a-z]+)\\.");
    assert.deepEqual(labels(listing), ["cat.1.jpg cat", "dog.12.jpg dog"]);
    assert.deepEqual(
      listing.leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      ["x.txt: not an image", "7.jpg: whose name does not fit the label pattern"],
    );
    const split = walkFolder(writeFiles(inFolder("split"), files("train/1_cat.png", "test/2_dog.png")));
    assert.deepEqual(labels(readLabelPattern(split, "_(\\w+)\\.")), [
      "test/2_dog.png dog test",
      "train/1_cat.png cat train",
    ]);
  });

  it("are refused if the pattern fits none, or is none", () => {
    const found = walk("cat.1.jpg");
    assert.throws(() => readLabelPattern(found, "^(\\d+)_"), {
      name: "InputError",
      message: `Expected file names that fit ^(\\d+)_ at ${inFolder("data")} but found cat.1.jpg and others. Fix --label-pattern: it is compared with a path such as cat/cat.12.jpg, and its group is the class.`,
    });
    assert.throws(() => readLabelPattern(found, "cat"), {
      message:
        "Expected a pattern with a group for --label-pattern but found cat. Write a regular expression with a group, such as --label-pattern '^([a-z]+)'.",
    });
    assert.throws(() => readLabelPattern(found, "("), /^InputError: Expected a pattern for --label-pattern/);
  });

  describe("suggest", () => {
    let count = 0;
    const suggested = (...names: string[]) => {
      const dir = writeFiles(inFolder(`suggested/${count++}`), files(...names));
      return suggestPattern(imagesBelow(walkFolder(dir).root))?.classNames.join();
    };

    it("a pattern that takes the whole name of a class", () => {
      const found = (...firsts: string[]) =>
        suggested(...firsts.flatMap((name) => [name, name.replace(/1(?!.*1)/, "2")]));
      assert.equal(found("cat.1.png", "dog.1.png"), "cat,dog");
      assert.equal(found("sea_lion_1.jpg", "mountain_lion_1.jpg"), "mountain_lion,sea_lion");
      assert.equal(found("a/Cat (1).png", "b/Dog (1).png"), "Cat,Dog");
      assert.equal(found("café1.png", "thé1.png"), "café,thé");
      assert.equal(found("n01440764_1.JPEG", "n01443537_1.JPEG"), "n01440764,n01443537");
      assert.equal(found("cat-1-a.png", "dog-1-a.png"), "cat,dog");
      assert.equal(found("resnet18-1-a.png", "resnet50-1-a.png"), "resnet18,resnet50");
      assert.equal(
        suggested("1_sea_lion.png", "2_sea_lion.png", "3_mountain_lion.png", "4_mountain_lion.png"),
        "mountain_lion,sea_lion",
      );
      assert.equal(found("train1.png", "car1.png"), "car,train");
    });

    it("a pattern that leaves out test images without a class", () => {
      const names = ["train/cat.1.png", "train/cat.2.png", "train/dog.1.png", "train/dog.2.png"];
      assert.equal(suggested(...names, "test1/10.png", "test1/11.png"), "cat,dog");
      assert.equal(suggested(...names, "test1/cat.3.png"), "cat,dog");
      assert.equal(suggested(...names, "test1/a.3.png"), undefined);
    });

    it("no pattern for a single word, for names that do not repeat, and for parts of a split", () => {
      assert.equal(suggested("1.png", "2.png", "a.png"), undefined);
      assert.equal(suggested("IMG_1.png", "IMG_2.png"), undefined);
      assert.equal(suggested("cat_1.png", "dog_1.png"), undefined);
      assert.equal(
        suggested("train_cat/train0.png", "train_dog/train1.png", "val_cat/val0.png", "val_dog/val1.png"),
        undefined,
      );
    });
  });

  it("of JAFFE name the expression", () => {
    const found = walk(
      "jaffe/KA.AN1.39.tiff",
      "jaffe/KA.HA2.30.tiff",
      "jaffe/YM.NE3.51.tiff",
      "jaffe/README",
    );
    assert.deepEqual(labels(readKnownNames(found)), [
      "jaffe/KA.AN1.39.tiff angry",
      "jaffe/KA.HA2.30.tiff happy",
      "jaffe/YM.NE3.51.tiff neutral",
    ]);
  });

  it("of KDEF name the expression, in folders by person", () => {
    const found = walk("KDEF/AF01/AF01ANS.JPG", "KDEF/AF01/AF01AFHL.JPG", "KDEF/BM35/BM35SUFR.JPG");
    const listing = readKnownNames(found);
    assert.deepEqual(labels(listing), [
      "KDEF/AF01/AF01AFHL.JPG fear",
      "KDEF/AF01/AF01ANS.JPG angry",
      "KDEF/BM35/BM35SUFR.JPG surprise",
    ]);
    assert.deepEqual(listing?.notes, [
      "The file names are those of KDEF, which name the expression (--labels folders takes the folders).",
    ]);
  });

  it("of KDEF do not count if the folders are classes", () => {
    const found = walk("rage/AF01ANS.JPG", "rage/AF02ANS.JPG", "joy/AF01HAS.JPG", "joy/AF02HAS.JPG");
    assert.equal(readKnownNames(found), null);
    assert.equal(readKnownNames(walk("cat/1.jpg", "dog/2.jpg")), null);
  });
});
