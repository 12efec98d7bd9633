import assert from "node:assert/strict";
import type { LabelChoice } from "../../../../src/data/sources/tables/label-columns.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";
import { readTables } from "./tables-beside-images.js";

describe("matchImages", () => {
  const inFolder = temporaryFolder();
  const write = (table: string, images: string[], name = "labels.csv") =>
    writeFiles(inFolder("data"), {
      ...Object.fromEntries(images.map((image) => [image, "x"])),
      [name]: table,
    });
  const read = (table: string, images: string[], choice: LabelChoice = {}, name = "labels.csv") => {
    const dir = write(table, images, name);
    const listing = readTables(dir, choice, [name]);
    return listing?.samples.map(({ path, className }) => `${path} ${className}`).sort();
  };
  const rejects = (table: string, images: string[], found: string, choice: LabelChoice = {}) =>
    assert.throws(() => read(table, images, choice), {
      name: "InputError",
      message: `Expected ${found}. Choose one with --path-column NAME.`,
    });
  const where = () => inFolder("data/labels.csv");
  const FOUR = ["0.png", "1.png", "2.png", "3.png"];
  const REVERSED = ["0.png d", "1.png c", "2.png b", "3.png a"];

  for (const [name, table] of [
    ["the index of pandas", ",image,label\n0,3.png,a\n1,2.png,b\n2,1.png,c\n3,0.png,d\n"],
    ["another numbering", "id,file_name,label\n0,3.png,a\n1,2.png,b\n2,1.png,c\n3,0.png,d\n"],
    ["numbers of rows beside ids", "row,id,label\n0,3,a\n1,2,b\n2,1,c\n3,0,d\n"],
    ["ages beside names without ending", "age,file,label\n0,3,a\n1,2,b\n2,1,c\n3,0,d\n"],
    ["scores that begin as names do", "score,image_id,label\n0.5,3,a\n1.5,2,b\n2.5,1,c\n3.5,0,d\n"],
    ["a header of numbers", "0,1\n3.png,a\n2.png,b\n1.png,c\n0.png,d\n"],
  ])
    it(`takes no image's name from ${name}`, () => {
      assert.deepEqual(read(table, FOUR), REVERSED);
    });

  it("takes numbers of classes for no names, though there are such images", () => {
    assert.deepEqual(read("label,id\n1,0\n0,1\n1,2\n0,3\n", FOUR), [
      "0.png 1",
      "1.png 0",
      "2.png 1",
      "3.png 0",
    ]);
    assert.deepEqual(read("0 a\n1 b\n2 a\n3 b\n", FOUR), ["0.png a", "1.png b", "2.png a", "3.png b"]);
    assert.deepEqual(read("1 0\n1 1\n1 2\n0 3\n", FOUR), ["0.png 1", "1.png 1", "2.png 1", "3.png 0"]);
  });

  it("takes no number for a name in a table without a header", () => {
    const table = "0,3.png,a\n1,2.png,b\n2,1.png,c\n3,0.png,d\n";
    assert.deepEqual(read(table, FOUR, { labelColumn: "3" }), REVERSED);
  });

  it("reads a header that lacks the name of the first column, as CelebA and R write it", () => {
    const table = "file label\n0 3.png a\n1 2.png b\n";
    assert.deepEqual(read(table, FOUR, {}, "list.txt"), ["2.png b", "3.png a"]);
    assert.deepEqual(read("2\nx y\n0.png 1 -1\n1.png -1 1\n", FOUR, { labelColumn: "y" }, "list.txt"), [
      "0.png -1",
      "1.png 1",
    ]);
    const first = "0.png\n1.png,a\n2.png,b\n";
    assert.deepEqual(read(first, FOUR), ["1.png a", "2.png b"], "a first row without its label");
  });

  it("takes columns that name the same images for one", () => {
    const table = "image,path,label\n0.png,./0.png,a\n1.png,./1.png,b\n";
    assert.deepEqual(read(table, FOUR), ["0.png a", "1.png b"]);
  });

  it("reads the folder of each file from a column of its own", () => {
    const table = "folder,file,label\nday1,0.png,a\nday2,0.png,b\nday1,1.png,b\nday3,1.png,a\n";
    assert.deepEqual(read(table, ["day1/0.png", "day2/0.png", "day1/1.png"]), [
      "day1/0.png a",
      "day1/1.png b",
      "day2/0.png b",
    ]);
    const listing = readTables(inFolder("data"), {}, ["labels.csv"]);
    assert.deepEqual(listing?.notes, [
      "1 of 4 rows of labels.csv name a file that is missing or not read as an image, such as day3/1.png.",
    ]);
  });

  it("asks if several columns may name the images, and takes the chosen one", () => {
    const table = "first,second,label\n0,3,a\n1,2,b\n2,1,c\n3,0,d\n";
    rejects(
      table,
      FOUR,
      `one column that names the images at ${where()} but found first and second, which may all do`,
    );
    assert.deepEqual(read(table, FOUR, { pathColumn: "second", labelColumn: "label" }), REVERSED);
    const images = "left_image,right_image,label\n0.png,1.png,a\n2.png,3.png,b\n";
    rejects(
      images,
      FOUR,
      `one column that names the images at ${where()} but found left_image and right_image, which may all do`,
    );
    const names = Array.from({ length: 6 }, (_, i) => `image${i}`);
    const rows = Array.from({ length: 4 }, (_, i) => `${names.map((_name, j) => `${(i + j) % 4}.png`)},a\n`);
    rejects(
      `${names},label\n${rows.join("")}`,
      FOUR,
      `one column that names the images at ${where()} but found image0, image1, image2 and 3 more, which may all do`,
    );
  });

  it("asks if only a column of few numbers has names of images", () => {
    rejects(
      "age,label\n1,a\n1,b\n1,a\n2,b\n2,a\n",
      FOUR,
      `one column that names the images at ${where()} but found age, with few images in many rows`,
    );
  });

  it("asks if the column of files names none, and that of numbers could", () => {
    const table = "id,file,label\n0,IMG_3.jpg,a\n1,IMG_2.jpg,b\n";
    rejects(
      table,
      FOUR,
      `images that the column file names at ${where()} but found none, as for IMG_3.jpg; id could be meant, too`,
    );
    assert.deepEqual(read(table, FOUR, { pathColumn: "id", labelColumn: "label" }), ["0.png a", "1.png b"]);
  });

  it("refuses a chosen column that is absent or names no image", () => {
    const table = "id,kind,label\n0,x,a\n1,y,b\n";
    rejects(table, FOUR, `names of images in the column kind at ${where()} but found x`, {
      pathColumn: "kind",
    });
    rejects(table, FOUR, `names of images in the column no at ${where()} but found id, kind, label`, {
      pathColumn: "no",
    });
  });

  it("takes a column by number if there is no header", () => {
    const choice = { pathColumn: "2", labelColumn: "3" };
    assert.deepEqual(read("0 3 a\n1 2 b\n2 1 c\n3 0 d\n", FOUR, choice, "list.txt"), REVERSED);
  });

  it("keeps a first row that names an absent image as a row", () => {
    assert.deepEqual(read("a/9.png,a\na/0.png,b\na/1.png,c\n", ["a/0.png", "a/1.png"]), [
      "a/0.png b",
      "a/1.png c",
    ]);
    const listing = readTables(inFolder("data"), {}, ["labels.csv"]);
    assert.deepEqual(listing?.notes, [
      "1 of 3 rows of labels.csv name a file that is missing or not read as an image, such as a/9.png.",
    ]);
  });

  describe("with numbers that have other leading zeros than the files'", () => {
    const IDS = ["0001.png", "0002.png", "0010.png", "1000.png"];
    const notes = (name = "labels.csv") => readTables(inFolder("data"), {}, [name])?.notes;
    const note = (file: string, value: string) =>
      `Numbers of labels.csv have other leading zeros than those of the files, so they are compared without them: ${file} for ${value}.`;

    for (const [name, images, values] of [
      ["ids without them", IDS, ["1", "2", "10", "1000"]],
      ["names without them", IDS, ["1.jpg", "2.jpg", "10.jpg", "1000.jpg"]],
      ["numbers as pandas writes them beside missing ones", IDS, ["1.0", "2.0", "10.0", "1000.0"]],
      ["ids with more of them", ["1.png", "2.png", "10.png", "1000.png"], ["0001", "0002", "0010", "1000"]],
      ["numbers in names", IDS.map((one) => `img_${one}`), ["img_1", "img_2", "img_10", "img_1000"]],
      ["numbers of folders", ["s01/1.png", "s02/1.png"], ["s1/1.png", "s2/1.png"]],
    ] as const)
      it(`finds images by ${name}, and says so`, () => {
        const rows = values.map((value, i) => `${value},c${i}`).join("\n");
        assert.deepEqual(
          read(`id,label\n${rows}\n`, [...images]),
          images.map((image, i) => `${image} c${i}`).sort(),
        );
        assert.deepEqual(notes(), [note(images[0], values[0])]);
      });

    it("prefers the same number to one with other zeros, and columns that name files to others", () => {
      assert.deepEqual(read("id,label\n007,a\n7,b\n", ["7.png", "8.png"]), ["7.png b"]);
      assert.deepEqual(read("label,file\n1,0002.png\n2,0001.png\n", ["0001.png", "0002.png"]), [
        "0001.png 2",
        "0002.png 1",
      ]);
    });

    it("asks which of two files is meant", () => {
      assert.throws(() => read("id,label\n007,a\n8,b\n", ["7.png", "07.png", "8.png"]), {
        message:
          "Expected one image for each row of labels.csv but found 07.png and 7.png for 007. Choose the folder of images with --data, and the table with --labels.",
      });
    });
  });

  it("takes no table whose column has the name of an image, and whose rows name none", () => {
    assert.equal(read('{"2": "x", "label": "a"}\n', FOUR, {}, "metadata.jsonl"), undefined);
  });
});
