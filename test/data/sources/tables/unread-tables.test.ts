import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { walkFolder } from "../../../../src/data/sources/files.js";
import { matchTables } from "../../../../src/data/sources/tables/matched-tables.js";
import {
  tablesWithoutLabels,
  unreadTables,
  whyNoTable,
} from "../../../../src/data/sources/tables/unread-tables.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";
import { readTables } from "./tables-beside-images.js";

describe("unreadTables", () => {
  const inFolder = temporaryFolder();
  const FOUR = ["0.png", "1.png", "2.png", "3.png"];

  it("says why a file is no table, and what to do", () => {
    const why = (name: string, content: unknown) => {
      writeFileSync(inFolder(name), typeof content === "string" ? content : JSON.stringify(content));
      const found = whyNoTable(inFolder("."), name);
      return found && `${found.reason}. ${found.fix}`;
    };
    const write = "Write a CSV with the columns file and label.";
    assert.equal(why("t.csv", "a,b\n1,2\n"), null);
    assert.equal(why("t.xlsx", "PK"), ".xlsx files are not read. Save it as CSV.");
    assert.equal(why("t.parquet", "PAR1"), ".parquet files are not read beside images. Save it as CSV.");
    const coco = {
      images: [{ id: 1, file_name: "1.png" }],
      annotations: [{ image_id: 1, category_id: 2, bbox: [0, 0, 1, 1] }],
    };
    assert.equal(
      why("t.json", coco),
      `it has boxes in images, as those of COCO, and not one label for each image. ${write}`,
    );
    const several = [1, 2].map((category_id) => ({ image_id: 1, category_id }));
    assert.equal(
      why("t.json", { ...coco, annotations: several }),
      `it has several categories for an image, and not one label for each image. ${write}`,
    );
    assert.equal(
      why("t.json", 3),
      `it is neither a list of records nor has labels by the names of files. ${write}`,
    );
    assert.equal(why("t.json", '[{"a": 1,}]'), "it is no JSON (line 1, column 9: a comma before }). Fix it.");
    assert.equal(
      why("t.json", '{"1.png": "cat", "1.png": "dog"}'),
      'it is no JSON (line 1, column 18: the name "1.png" for the second time). Fix it.',
    );
    assert.equal(why("t.jsonl", "{\n"), `a line of it is no JSON object. ${write}`);
  });

  it("says why a table names no image", () => {
    let numFolders = 0;
    const reason = (table: string, images: string[], name = "labels.csv") => {
      const files = [...images.map((image) => [image, "x"]), [name, table]];
      const dir = writeFiles(inFolder(`data${numFolders++}`), Object.fromEntries(files));
      assert.equal(readTables(dir), null);
      return unreadTables(dir, matchTables(walkFolder(dir), {}))[0]?.found;
    };
    assert.equal(
      reason("id,label\n1,a\n2,b\n", ["img_0001.png", "img_0002.png"]),
      "labels.csv, whose column id names none of them: 1, beside images such as img_0001.png",
    );
    assert.equal(
      reason("photo 0.png 1\nphoto 1.png 2\n", ["photo 0.png", "photo 1.png"], "a.txt"),
      "a.txt, whose rows name none of them: photo, beside images such as photo 0.png",
    );
    assert.equal(
      reason('{"file_name": "0.png", "label": NaN}\n', ["0.png"], "a.jsonl"),
      "a.jsonl, which is not read, since a line of it is no JSON object",
    );
    assert.equal(
      reason(`file,label\n0.png,a\n${"x.png,b\n".repeat(9)}`, FOUR),
      "labels.csv, whose column file names images in 1 of 10 rows",
    );
  });
});

describe("tablesWithoutLabels", () => {
  const inFolder = temporaryFolder();

  it("names a table whose only other column is the split", () => {
    const images = { "0.png": "x", "1.png": "x" };
    const table = "file,kind\n0.png,train\n1.png,test\n";
    const dir = writeFiles(inFolder("split"), { ...images, "list.csv": table });
    assert.equal(readTables(dir), null);
    assert.deepEqual(tablesWithoutLabels(matchTables(walkFolder(dir), {})), [
      {
        file: "list.csv",
        found: "list.csv, which names images, without a known column of labels beside kind",
        fix: "If one of its columns has the labels, choose it with --label-column NAME.",
      },
    ]);
    const lists = writeFiles(inFolder("list"), {
      ...images,
      "list.txt": "0.png\n1.png\n",
      "a.csv": "id,n\n7,a\n",
    });
    assert.deepEqual(tablesWithoutLabels(matchTables(walkFolder(lists), {})), []);
  });
});
