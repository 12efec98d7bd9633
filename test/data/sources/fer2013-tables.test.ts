import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findVotes, readVotes, relabel, usageOf } from "../../../src/data/sources/fer2013.js";
import { LeftOutFiles } from "../../../src/data/sources/left-out.js";
import type { Listing } from "../../../src/data/sources/listing.js";
import { loopback, whole } from "../../loopback.js";
import { sampleOf, temporaryFolder, writeFiles } from "../fixtures.js";

const VOTES = path.join(__dirname, "../../../../shared/ferplus/fer2013new.csv");
const HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";

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
