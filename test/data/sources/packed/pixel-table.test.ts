import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { isVoteTable } from "../../../../src/data/sources/fer2013.js";
import type { Listing } from "../../../../src/data/sources/listing.js";
import { isPixelTable } from "../../../../src/data/sources/packed/pixel-columns.js";
import { readPixelTable } from "../../../../src/data/sources/packed/pixel-table.js";
import { readSource, type SourceOptions } from "../../../../src/data/sources/source.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

describe("readPixelTable", () => {
  const inFolder = temporaryFolder();
  const row = (level: number) => Array(16).fill(level).join(" ");
  const write = (text: string) => {
    writeFileSync(inFolder("t.csv"), text);
    return readPixelTable(inFolder("t.csv"));
  };
  const labels = ({ samples }: Listing) =>
    samples.map(({ path, className, split, row, usage }) => `${path} ${className} ${split} ${row} ${usage}`);
  const EXPECTED = [
    "0.png angry train 0 Training",
    "1.png neutral validation 1 PublicTest",
    "2.png happy test 2 PrivateTest",
  ];

  it("reads fer2013.csv, with the column Usage as the split", async () => {
    const listing = await write(
      `emotion,pixels,Usage\n0,${row(1)},Training\n6,${row(2)},PublicTest\n3,${row(200)},PrivateTest\n`,
    );
    assert.deepEqual(labels(listing), EXPECTED);
    const { data, info } = await sharp(path.join(listing.root, "1.png"))
      .toColourspace("b-w")
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels, new Set(data)], [4, 4, 1, new Set([2])]);
    assert.deepEqual(listing.notes, [
      "The codes of t.csv are read as 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral, 7 contempt.",
      "The column Usage of t.csv is read as the split (--split-column none leaves it unread).",
    ]);
  });

  it("reads the split in letters of any case, and in columns of other names", async () => {
    const parts = async (header: string, values: string[]) => {
      const rows = values.map((value, i) => `${i},${row(i + 100)},${value}\n`).join("");
      const { samples, notes } = await write(`emotion,pixels,${header}\n${rows}`);
      return [samples.map(({ split, usage }) => `${split} ${usage}`).join(), ...notes.slice(1)];
    };
    const known = "train Training,validation PublicTest,test PrivateTest";
    const note = (name: string) =>
      `The column ${name} of t.csv is read as the split (--split-column none leaves it unread).`;
    assert.deepEqual(await parts("USAGE", ["TRAINING", "PUBLICTEST", "PRIVATETEST"]), [known, note("USAGE")]);
    assert.deepEqual(await parts("usage", ["training", "publictest", "private test"]), [
      known,
      note("usage"),
    ]);
    assert.deepEqual(await parts("is_test", ["0", "1"]), [
      "train undefined,test undefined",
      "The column is_test of t.csv is read as the split: 1 in is_test is test, and 0 is train (--split-column none leaves it unread).",
    ]);
    assert.deepEqual(await parts("Usage", ["A", "B"]), [
      "null undefined,null undefined",
      "The column Usage of t.csv is not read as a split, since its values name no part: A, B.",
    ]);
    assert.deepEqual(await parts("Usage", ["Training", "", "PublicTest"]), [
      "train Training,null undefined,validation PublicTest",
      note("Usage"),
      "Images without a part of the split in t.csv, which are not used: 1.",
    ]);
    await assert.rejects(parts("Usage", ["Training", "PublicTest", "Trianing"]), {
      name: "InputError",
      message: `Expected train, validation, test, or unsup and extra, which are left out, in the column Usage at ${inFolder("t.csv")} but found Trianing in 1 of 3 rows, as that of line 4. Fix these values, or leave the column unread with --split-column none.`,
    });
  });

  it("reads codes that are written as decimal numbers, and knows which are none", async () => {
    const classes = async (header: string, values: string[]) => {
      const rows = values.map((value) => `${value},${row(100)}\n`).join("");
      const { samples, notes, leftOut } = await write(`${header},pixels\n${rows}`);
      const out = leftOut.list().map(({ count, reason }) => `${count} ${reason}`);
      return [samples.map(({ className }) => className).join(), ...notes, ...out];
    };
    const codes =
      "The codes of t.csv are read as 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral, 7 contempt.";
    assert.deepEqual(await classes("emotion", ["0.0", "1", "3.0"]), [
      "angry,disgust,happy",
      codes,
      "The code 0.0 of t.csv is read as 0, as are others like it.",
    ]);
    assert.deepEqual(await classes("emotion", ["happy", "sad"]), ["happy,sad"]);
    assert.deepEqual(await classes("emotion", ["-1", "0", "nan"]), [
      "angry",
      codes,
      "The first row with the unknown code -1 of t.csv is line 2.",
      "The first row without a label of t.csv is line 4.",
      "1 a row with the unknown code -1",
      "1 a row without a label",
    ]);
    assert.deepEqual(await classes("label", ["0.0", "0", "cat"]), [
      "0,0,cat",
      "Numbers in the labels of t.csv are whole, and 0.0 is read as 0.",
    ]);
  });

  it("is read as tables of labels are: in UTF-16, with other separators, comments and quotes", async () => {
    const lines = [
      "emotion,pixels,Usage",
      `0,${row(1)},Training`,
      `6,${row(2)},PublicTest`,
      `3,${row(200)},PrivateTest`,
    ];
    const text = `${lines.join("\r\n")}\r\n`;
    const bigEndian = (content: string) => Buffer.from(`\uFEFF${content}`, "utf16le").swap16();
    for (const content of [
      `\uFEFF${text}`,
      Buffer.from(`\uFEFF${text}`, "utf16le"),
      bigEndian(text),
      text.replaceAll(",", ";"),
      text.replaceAll(",", "\t"),
      text.replaceAll(",", "|"),
      `# faces\n#\n${text}`,
      `# ${text}`,
      text.replaceAll(/[^,\r\n]+/g, '"$&"'),
      text.replaceAll(row(2), `"${row(2).replaceAll(" ", "\n")}"`),
    ]) {
      writeFileSync(inFolder("t.csv"), content);
      assert.ok(await isPixelTable(inFolder("t.csv")));
      assert.deepEqual(labels(await readPixelTable(inFolder("t.csv"))), EXPECTED);
    }
  });

  it("reads the column that was chosen for the labels, and none as the split if asked to", async () => {
    writeFileSync(
      inFolder("t.csv"),
      `emotion,Kind,pixels,Usage\n0,cat,${row(1)},Training\n1,dog,${row(2)},PublicTest\n`,
    );
    const { samples } = await readPixelTable(inFolder("t.csv"), { labelColumn: "Kind", splitColumn: "none" });
    assert.deepEqual(
      samples.map(({ className, split }) => `${className} ${split}`),
      ["cat null", "dog null"],
    );
    await assert.rejects(readPixelTable(inFolder("t.csv"), { labelColumn: "breed" }), {
      name: "InputError",
      message: `Expected the column breed beside pixels at ${inFolder("t.csv")} but found emotion, Kind, pixels, Usage. Choose the column with --label-column NAME.`,
    });
  });

  it("says which column has the labels if another one may have them, and asks if two have usual names", async () => {
    const table = (header: string) =>
      `${header},pixels\n${["a,x", "a,y", "b,x", "b,y"].map((cells, i) => `${cells},${row(i + 200)}\n`).join("")}`;
    assert.deepEqual((await write(table("label,site"))).notes, [
      "The labels of t.csv are those of the column label, not of site (--label-column NAME takes another).",
    ]);
    await assert.rejects(write(table("species,breed")), {
      name: "InputError",
      message: `Expected a column emotion or label beside pixels at ${inFolder("t.csv")} but found species, breed, pixels. Choose the column with --label-column NAME.`,
    });
  });

  describe("of several files", () => {
    const table = (...labels: string[]) =>
      `label,pixels\n${labels.map((label, i) => `${label},${row(i + 200)}\n`).join("")}`;
    const read = async (files: Record<string, string>, options: Partial<SourceOptions> = {}) => {
      const { listing } = await readSource({
        data: writeFiles(inFolder("data"), files),
        seed: 0,
        ...options,
      });
      return { ...listing, found: labels(listing) };
    };
    const FILES = { "mnist_train.csv": table("a", "b"), "mnist_test.csv": table("b") };
    const FOUND = [
      "mnist_train/0.png a train undefined undefined",
      "mnist_train/1.png b train undefined undefined",
      "mnist_test/0.png b test undefined undefined",
    ];

    it("takes the parts of the split from their names", async () => {
      for (const chosen of [undefined, "mnist_test.csv,mnist_train.csv"]) {
        const { found, notes, splitBy, labels } = await read(FILES, chosen ? { labels: chosen } : {});
        assert.deepEqual([found, notes], [FOUND, []]);
        assert.equal(labels, "mnist_test.csv, mnist_train.csv");
        assert.deepEqual(splitBy, { words: "the table mnist_test.csv", isColumn: false });
      }
    });

    it("reads several that were chosen as one, in whatever order their columns are", async () => {
      const files = { "x.csv": `${table("a", "b")}`, "y.csv": `pixels,site,label\n${row(9)},n,b\n` };
      const { found } = await read(files, { labels: "x.csv,y.csv" });
      assert.deepEqual(found, [
        "x/0.png a null undefined undefined",
        "x/1.png b null undefined undefined",
        "y/0.png b null undefined undefined",
      ]);
    });

    it("leaves out that of a competition's test images, which has no labels", async () => {
      const { found, leftOut } = await read({
        "train.csv": table("a", "b"),
        "test.csv": `pixels\n${row(9)}\n`,
      });
      assert.deepEqual(found, ["0.png a null 0 undefined", "1.png b null 1 undefined"]);
      assert.deepEqual(
        leftOut.list().map(({ example, reason }) => `${example}: ${reason}`),
        ["test.csv: not an image"],
      );
    });
  });

  it("refuses columns of one name", async () => {
    for (const [header, name] of [
      ["emotion,pixels,Usage,usage", "usage"],
      ["emotion,pixels,emotion", "emotion"],
      ["emotion,pixels,pixels", "pixels"],
    ])
      await assert.rejects(write(`${header}\n0,${row(1)},0,0\n`), {
        name: "InputError",
        message: `Expected one column ${name} at ${inFolder("t.csv")} but found 2 of that name. Rename or remove the others.`,
      });
  });

  it("reads images of hundreds of pixels a side", async () => {
    const listing = await write(
      `emotion,pixels,Usage\n0,${Array(400 * 400)
        .fill(7)
        .join(" ")},Training\n`,
    );
    assert.equal((await sharp(path.join(listing.root, "0.png")).metadata()).width, 400);
  });

  it("refuses a line that is longer than any image", async () => {
    await assert.rejects(write(`emotion,pixels,Usage\n0,${"1 ".repeat(2 ** 23)}`), {
      name: "InputError",
      message: `Expected a table of pixels at ${inFolder("t.csv")} but found more than 16777216 characters in line 2. Choose another table.`,
    });
  });

  it("reads icml_face_data.csv, whose columns are in another order, with blanks and quotes", async () => {
    const listing = await write(
      `emotion, Usage, pixels\n0, Training,"${row(1)}"\r\n6, PublicTest, ${row(2)}\r\n3, PrivateTest, ${row(3)}\r\n`,
    );
    assert.deepEqual(labels(listing), EXPECTED);
    const again = await readPixelTable(inFolder("t.csv"));
    assert.deepEqual(labels(again), EXPECTED, "also from the cache");
  });

  it("counts rows that are cut short, and reads those around them", async () => {
    const rows = [
      "0",
      `0,${row(1)}`,
      "",
      "1,",
      `2,${row(2)},Training`,
      `3,${Array(16).fill("1e999").join(" ")},Training`,
    ];
    const { samples, leftOut } = await write(`emotion,pixels,Usage\n${rows.join("\n")}\n`);
    assert.deepEqual(
      samples.map(({ path, split }) => [path, split]),
      [
        ["1.png", null],
        ["3.png", "train"],
      ],
    );
    assert.deepEqual(
      leftOut.list().map(({ reason, count }) => [reason, count]),
      [["a row without a square image", 3]],
    );
  });

  it("names the line of an image with too few pixels, or with another value", async () => {
    const last = async (pixels: string) =>
      (await write(`emotion,pixels\n0,${row(1)}\n1,${pixels}\n`)).notes.at(-1);
    const start = "The first row without a square image of t.csv is line 3, which has";
    assert.equal(await last("7 ".repeat(2300).trim()), `${start} 2,300 values, no square number.`);
    assert.equal(await last("1 2 x 4"), `${start} a value that is no level of grey.`);
    assert.equal(await last(""), `${start} a value that is no level of grey.`);
  });

  it("refuses a table without a usable row", async () => {
    const refusal = (found: string) => ({
      name: "InputError",
      message: `Expected rows with a label and a square image at ${inFolder("t.csv")} but found ${found}. Choose another table.`,
    });
    await assert.rejects(write("emotion,pixels\n"), refusal("none"));
    await assert.rejects(
      write(`emotion,pixels\n0,1 2 3\n,${row(1)}\n`),
      refusal(
        "1 × a row without a square image (line 2, which has 3 values, no square number), 1 × a row without a label (line 3)",
      ),
    );
  });

  it("reads images of many pixels", async () => {
    const { samples } = await write(`emotion,pixels\n0,${"7 ".repeat(400 * 400).trim()}\n`);
    assert.equal(samples.length, 1);
  });

  it("reads a table without a split", async () => {
    assert.deepEqual(labels(await write(`emotion,pixels\n0,${row(1)}\n1,${row(2)}\n`)), [
      "0.png angry null 0 undefined",
      "1.png disgust null 1 undefined",
    ]);
  });

  it("counts rows that it cannot use, and scales pixels above 255", async () => {
    const text = `emotion,pixels\n9,${row(1)}\n1,1 2 3\n2,1 2 x 4\n3,0 510 1020 102\n,${row(1)}\n`;
    const { samples, leftOut, notes, root } = await write(text);
    assert.deepEqual(
      samples.map(({ path }) => path),
      ["3.png"],
    );
    assert.deepEqual(
      [...(await sharp(path.join(root, "3.png")).toColourspace("b-w").raw().toBuffer())],
      [0, 128, 255, 26],
    );
    assert.deepEqual(
      leftOut.list().map(({ reason, count }) => `${count} ${reason}`),
      ["1 a row with the unknown code 9", "1 a row without a label", "2 a row without a square image"],
    );
    assert.deepEqual(notes.slice(1), [
      "1 rows have pixels above 255, and are scaled to 0–255.",
      "The first row with the unknown code 9 of t.csv is line 2.",
      "The first row without a square image of t.csv is line 3, which has 3 values, no square number.",
      "The first row without a label of t.csv is line 6.",
    ]);
  });

  it("scales pixels from 0 to 1, and says so", async () => {
    const levels = async (...rows: string[]) => {
      const { root, samples, notes } = await write(
        `label,pixels\n${rows.map((one) => `a,${one}\n`).join("")}`,
      );
      const images = samples.map(({ path: file }) => sharp(path.join(root, file)).toColourspace("b-w").raw());
      return [...(await Promise.all(images.map(async (image) => [...(await image.toBuffer())]))), ...notes];
    };
    const note = "The pixels of t.csv are from 0 to 1, and are scaled to 0–255.";
    assert.deepEqual(await levels("0 0.2 0.5 1", "0 0 0.1 0"), [[0, 51, 128, 255], [0, 0, 26, 0], note]);
    assert.deepEqual(await levels("0 1 1 0"), [[0, 255, 255, 0], note], "black and white");
    assert.deepEqual(await levels("0.4 1 0 0", "0 99.6 200 255"), [
      [0, 1, 0, 0],
      [0, 100, 200, 255],
    ]);
    assert.deepEqual(await levels("0 8 16 4"), [
      [0, 8, 16, 4],
      "The largest pixel of t.csv is 16, where 255 is white, so its images are dark.",
    ]);
  });

  it("scales all rows alike if most have pixels above 255", async () => {
    const { root, notes } = await write("label,pixels\na,0 0 0 65535\nb,0 257 514 32896\n");
    const image = await sharp(path.join(root, "1.png")).toColourspace("b-w").raw().toBuffer();
    assert.deepEqual([...image], [0, 1, 2, 128]);
    assert.deepEqual(notes, ["2 rows have pixels above 255, and are scaled to 0–255."]);
  });

  it("refuses standardised pixels", async () => {
    await assert.rejects(write("label,pixels\na,0.1 0.2 1.5 0\na,-0.3 1 0.5 2.5\n"), {
      message: `Expected pixels from 0 to 255, or from 0 to 1 at ${inFolder("t.csv")} but found a negative value in line 3, and none above 1.5. Choose a table whose pixels are not standardised.`,
    });
  });

  it("reads a table with a column for each pixel, whose labels are names or codes of its own", async () => {
    const header = Array.from({ length: 16 }, (_, i) => `pixel${i + 1}`).join(";");
    const { samples, notes } = await write(
      `label;${header}\n3;${row(7).replaceAll(" ", ";")}\nten;${row(80).replaceAll(" ", ";")}\n`,
    );
    assert.deepEqual(
      samples.map(({ className }) => className),
      ["3", "ten"],
    );
    assert.deepEqual(notes, []);
  });

  it("refuses a table without labels", async () => {
    await assert.rejects(write(`pixels\n${row(1)}\n`), {
      message: `Expected a column emotion or label beside pixels at ${inFolder("t.csv")} but found pixels. Choose a table with labels.`,
    });
  });

  it("tells tables by their header", async () => {
    const dir = writeFiles(inFolder("d"), {
      "a.csv": " Emotion, Pixels\n",
      "b.csv": "image,label\n",
      "c.csv": "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt\n",
    });
    const told = (name: string) =>
      Promise.all([isPixelTable, isVoteTable].map((isTold) => isTold(`${dir}/${name}`)));
    assert.deepEqual(await told("a.csv"), [true, false]);
    assert.deepEqual(await told("b.csv"), [false, false]);
    assert.deepEqual(await told("c.csv"), [false, true]);
  });

  it("asks for names if the first line is an image", async () => {
    const file = `${writeFiles(inFolder("numbers"), { "mnist.csv": `5${",0".repeat(64)}\n` })}/mnist.csv`;
    await assert.rejects(isPixelTable(file), {
      name: "InputError",
      message: `Expected names of columns in the first line at ${file} but found 65 numbers, as for a label and 8 × 8 pixels. Add a first line of names: label,pixel0,pixel1,… (or with label at the end, if it is there).`,
    });
  });
});
