import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { readSource, type SourceOptions } from "../../../src/data/sources/source.js";
import { projectDir } from "../../source-files.js";
import { temporaryFolder, writeFiles } from "../fixtures.js";

const PARQUET = path.join(projectDir, "test/golden/datasets/parquet");

describe("options about labels and files", () => {
  const inFolder = temporaryFolder();
  const read = async (data: string, options: Partial<SourceOptions>) =>
    (await readSource({ data, seed: 0, ...options })).listing;
  const refusal = (expected: string, where: string, found: string, fix: string) => ({
    name: "InputError",
    message: `Expected ${expected} at ${where} but found ${found}. ${fix}`,
  });

  it("are refused if they choose labels in two ways", async () => {
    const dir = writeFiles(inFolder("data"), { "cat/dog_1.jpg": "x", "dog/cat_1.jpg": "x" });
    for (const labels of ["folders", "labels.csv", "ferplus"])
      await assert.rejects(read(dir, { labels, labelPattern: "(cat|dog)_" }), {
        message: "Expected --labels or --label-pattern but found both. Remove one of them.",
      });
  });

  it("are refused if they choose folders for labels that are in names or in a table", async () => {
    const files = { "a/cat1.jpg": "x", "b/dog1.jpg": "x", "t.csv": "file,label\ncat1.jpg,cat\ndog1.jpg,dog" };
    const dir = writeFiles(inFolder("data"), files);
    await assert.rejects(
      read(dir, { labelPattern: "(cat|dog)", trainFolder: "a" }),
      refusal(
        "class folders, for --train-folder",
        dir,
        "a label pattern, for all images",
        "Remove --train-folder.",
      ),
    );
    const table = path.join(dir, "t.csv");
    await assert.rejects(
      read(dir, { labels: table, validationFolder: "b" }),
      refusal(
        "class folders, for --validation-folder",
        dir,
        `the table ${table}, for all images`,
        "Remove --validation-folder.",
      ),
    );
  });

  it("are refused with a table as data, except its own name and FER+'s", async () => {
    const dir = writeFiles(inFolder("data"), {
      "1.jpg": "x",
      "2.jpg": "x",
      "t.csv": "file,label\n1.jpg,cat\n2.jpg,dog",
    });
    const file = path.join(dir, "t.csv");
    const cases: [Partial<SourceOptions>, string, string, string][] = [
      [{ labelPattern: "(.)" }, "names of image files", "--label-pattern", ""],
      [{ trainFolder: "." }, "class folders", "--train-folder", ""],
      [{ labels: "folders" }, "a folder of images", "--labels", ", or choose the folder with --data"],
    ];
    for (const [options, need, flag, instead] of cases)
      await assert.rejects(
        read(file, options),
        refusal(`${need}, for ${flag}`, file, "a table", `Remove ${flag}${instead}.`),
      );
    assert.equal((await read(file, { labels: path.relative(".", file) })).samples.length, 2);
    assert.equal((await read(file, { leaveOut: ["1.*"] })).samples.length, 1);
  });

  it("are refused with Parquet files and tables of pixels", async () => {
    const file = path.join(PARQUET, "train-00000-of-00001.parquet");
    const pixels = path.join(inFolder("pixels"), "fer.csv");
    mkdirSync(path.dirname(pixels));
    writeFiles(path.dirname(pixels), { "fer.csv": "emotion,pixels\n0,1 2 3 4\n1,5 6 7 8" });
    const sources = [
      [PARQUET, "Parquet files"],
      [file, "a Parquet file"],
      [path.dirname(pixels), "a table of pixels"],
      [pixels, "a table of pixels"],
    ];
    for (const [data, found] of sources) {
      await assert.rejects(
        read(data, { leaveOut: ["a"] }),
        refusal("image files, for --leave-out", data, found, "Remove --leave-out."),
      );
      await assert.rejects(
        read(data, { labels: "folders" }),
        refusal(
          "a folder of images, for --labels",
          data,
          found,
          "Remove --labels, or choose the folder with --data.",
        ),
      );
    }
  });
});
