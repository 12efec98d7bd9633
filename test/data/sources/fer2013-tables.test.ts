import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import {
  findVotes,
  isPixelTable,
  isVoteTable,
  readPixelTable,
  readVotes,
  relabel,
  usageOf,
} from "../../../src/data/sources/fer2013.js";
import { LeftOutFiles } from "../../../src/data/sources/files.js";
import type { Listing } from "../../../src/data/sources/listing.js";
import { loopback, whole } from "../../loopback.js";
import { sampleOf, temporaryFolder, writeFiles } from "../fixtures.js";

const VOTES = path.join(__dirname, "../../../../shared/ferplus/fer2013new.csv");
const HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";

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
      `emotion,pixels,Usage\n0,${row(1)},Training\n6,${row(2)},PublicTest\n3,${row(3)},PrivateTest\n`,
    );
    assert.deepEqual(labels(listing), EXPECTED);
    const { data, info } = await sharp(path.join(listing.root, "1.png"))
      .toColourspace("b-w")
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels, new Set(data)], [4, 4, 1, new Set([2])]);
    assert.deepEqual(listing.notes, [
      "The codes of t.csv are read as 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral, 7 contempt.",
    ]);
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
      message: `Expected a table of pixels at ${inFolder("t.csv")} but found a line 2 of more than 16777216 bytes. Choose another table.`,
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
        ["4.png", "train"],
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

  it("reads a table with a column for each pixel, whose labels are names or codes of its own", async () => {
    const header = Array.from({ length: 16 }, (_, i) => `pixel${i + 1}`).join(";");
    const { samples, notes } = await write(
      `label;${header}\n3;${row(7).replaceAll(" ", ";")}\nten;${row(8).replaceAll(" ", ";")}\n`,
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
      "c.csv": `${HEADER}\n`,
    });
    const told = async (name: string) => [
      await isPixelTable(`${dir}/${name}`),
      await isVoteTable(`${dir}/${name}`),
    ];
    assert.deepEqual(await told("a.csv"), [true, false]);
    assert.deepEqual(await told("b.csv"), [false, false]);
    assert.deepEqual(await told("c.csv"), [false, true]);
  });
});

describe("usageOf", () => {
  it("knows the part by the column Usage, the file's name or its row", () => {
    assert.equal(usageOf({ ...sampleOf("a/1.jpg"), usage: "PrivateTest" }), "PrivateTest");
    assert.equal(usageOf(sampleOf("train/a/PublicTest_99999999.jpg")), "PublicTest");
    for (const [row, usage] of [
      [28_708, "Training"],
      [28_709, "PublicTest"],
      [32_297, "PublicTest"],
      [32_298, "PrivateTest"],
    ])
      assert.equal(usageOf(sampleOf(`a/${row}.jpg`)), usage);
    for (const name of ["a/35887.jpg", "a/face.jpg", "a/Training_x.jpg"])
      assert.equal(usageOf(sampleOf(name)), null);
  });
});

describe("FER+", () => {
  const inFolder = temporaryFolder();
  const server = loopback();
  const votes = (...rows: string[]) => {
    writeFileSync(inFolder("fer2013new.csv"), [HEADER, ...rows].join("\n"));
    return readVotes(inFolder("fer2013new.csv"));
  };

  it("takes a class with more than half of the votes, without those of a single person", () => {
    const [clear, half, outliers, noFace, unknown] = votes(
      "Training,fer0000000.png,8,1,0,0,1,0,0,0,0,0", // 8 of 8
      "Training,fer0000001.png,5,5,0,0,0,0,0,0,0,0", // 5 of 10
      "Training,fer0000002.png,4,0,3,1,1,1,0,0,0,0", // 4 of 7
      "PublicTest,,0,0,0,0,0,0,0,0,0,10",
      "Training,fer0000003.png,4,0,0,0,0,0,0,0,6,0",
    );
    assert.deepEqual(
      [clear, half, outliers, noFace, unknown].map(({ majority }) => majority),
      ["neutral", null, "neutral", null, null],
    );
    assert.equal(half.shares.neutral, 0.5);
    assert.equal(outliers.shares.surprise, 3 / 7);
    assert.equal(noFace.usage, "PublicTest");
    assert.equal(unknown.shares.neutral, 1);
  });

  it("replaces the labels of images that are named by row, and counts those without a majority", () => {
    const listing = (): Listing => ({
      root: "/fer",
      where: "/fer",
      inner: ".",
      labels: "class folders",
      samples: [
        sampleOf("train/sad/0.jpg"),
        { ...sampleOf("x.png"), row: 2 },
        sampleOf("validation/sad/1.jpg"),
      ],
      emptyClasses: [],
      leftOut: new LeftOutFiles(),
      notes: [],
    });
    const read = votes(
      "Training,fer0000000.png,0,8,2,0,0,0,0,0,0,0",
      "Training,fer0000001.png,5,5,0,0,0,0,0,0,0,0",
      "PublicTest,fer0000002.png,0,0,0,0,0,0,0,9,0,0",
    );
    const { samples, labels, leftOut } = relabel(listing(), read, true);
    assert.equal(labels, "FER+ (shares of votes)");
    assert.deepEqual(
      samples.map(({ path, className, usage, shares }) => [path, className, usage, shares?.surprise]),
      [
        ["train/sad/0.jpg", "happy", "Training", 0.2],
        ["x.png", "contempt", "PublicTest", 0],
      ],
    );
    assert.deepEqual(
      leftOut.list().map(({ reason, example }) => `${example}: ${reason}`),
      ["validation/sad/1.jpg: without a majority in FER+"],
    );
    const other = { ...listing(), samples: [sampleOf("train/sad/face.jpg")] };
    assert.throws(() => relabel(other, read, false), {
      message:
        "Expected files named by the rows 0 to 2 of fer2013.csv, for FER+'s labels at /fer but found train/sad/face.jpg. Choose fer2013.csv, or the class folders of FER-2013 that are named by row.",
    });
  });

  it("is found beside the data or in a folder near it, and downloaded otherwise", async () => {
    const file = `${writeFiles(inFolder("ferplus"), { "fer2013new.csv": HEADER })}/fer2013new.csv`;
    assert.equal(await findVotes(inFolder("fer2013/archive.tar.gz")), file);
    writeFiles(inFolder("data"), { "fer2013new.csv": HEADER });
    assert.equal(await findVotes(inFolder("data")), inFolder("data/fer2013new.csv"));
    server.answers = [whole(Buffer.from(HEADER))];
    process.env.FERKIT_FERPLUS_URL = server.url;
    try {
      const cached = inFolder("cache/ferkit/downloads/fer2013new.csv");
      for (let i = 0; i < 2; i++) assert.equal(await findVotes(inFolder("a/b/c/d")), cached);
      assert.equal(server.requests.length, 1);
    } finally {
      delete process.env.FERKIT_FERPLUS_URL;
    }
  });

  it("refuses another table", () => {
    writeFileSync(inFolder("fer2013new.csv"), "Usage,neutral\nTraining,3\n");
    assert.throws(() => readVotes(inFolder("fer2013new.csv")), {
      message: `Expected the columns of FER+'s fer2013new.csv at ${inFolder("fer2013new.csv")} but found no happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, nf. Choose fer2013new.csv of github.com/microsoft/FERPlus.`,
    });
  });

  it("keeps 25,060, 3,199 and 3,153 images by majority", function () {
    if (!existsSync(VOTES)) {
      console.log("      skipped: no votes of FER+ beside the project");
      this.skip();
    }
    const kept = readVotes(VOTES).filter(({ majority }) => majority !== null);
    const count = (usage: string) => kept.filter((vote) => vote.usage === usage).length;
    assert.deepEqual(["Training", "PublicTest", "PrivateTest"].map(count), [25_060, 3199, 3153]);
  });
});
