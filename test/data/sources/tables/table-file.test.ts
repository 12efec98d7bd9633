import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readTable } from "../../../../src/data/sources/tables/table-file.js";
import { temporaryFolder } from "../../fixtures.js";

describe("readTable", () => {
  const inFolder = temporaryFolder();
  const read = (name: string, content: string | Buffer) => {
    writeFileSync(inFolder(name), content);
    const table = readTable(inFolder("."), name);
    return table && [table.columns, ...table.rows];
  };
  const json = (content: unknown) => read("t.json", JSON.stringify(content));

  it("reads UTF-16 with a byte-order mark, as Excel writes it", () => {
    const text = Buffer.from("\uFEFFfile\tlabel\n1.png\tcafé\n", "utf16le");
    const rows = [null, ["file", "label"], ["1.png", "café"]];
    assert.deepEqual(read("t.csv", text), rows);
    assert.deepEqual(read("t.csv", Buffer.from(text).swap16()), rows);
  });

  it("reads JSON: records, lists, or labels by the names of files", () => {
    const rows = [
      ["file", "label"],
      ["1.png", "cat"],
      ["2.png", "dog"],
    ];
    const records = [
      { file: "1.png", label: "cat" },
      { file: "2.png", label: "dog" },
    ];
    assert.deepEqual(json(records), rows);
    assert.deepEqual(json({ version: 1, data: records }), rows);
    const pairs = [null, ...rows.slice(1)];
    assert.deepEqual(json({ "1.png": "cat", "2.png": "dog" }), pairs);
    assert.deepEqual(json(rows.slice(1)), pairs);
    assert.deepEqual(json({ labels: rows.slice(1) }), pairs, "as StyleGAN's dataset.json");
    assert.deepEqual(json({ "1.png": { label: "cat", age: 3 }, "2.png": { label: "dog" } }), [
      ["file", "label", "age"],
      ["1.png", "cat", "3"],
      ["2.png", "dog", ""],
    ]);
  });

  it("keeps the digits of whole numbers in JSON that are too long for a number", () => {
    const rows = [
      ["1000000000000000003", "1152921504606846977"],
      ["-12345678901234567890", "7"],
      ["1.5", 'a: 1152921504606846977, "'],
    ];
    const text = `[[${rows[0]}],[${rows[1]}], [1.5, "a: 1152921504606846977, \\""]]`;
    assert.deepEqual(read("t.json", text), [null, ...rows]);
    const named = `{"id":1000000000000000003,"label" : 9007199254740993}`;
    assert.deepEqual(read("t.jsonl", `${named}\n`), [
      ["id", "label"],
      ["1000000000000000003", "9007199254740993"],
    ]);
    assert.deepEqual(
      json([
        [1e21, 0.1],
        [12, 3],
      ]),
      [null, ["1e+21", "0.1"], ["12", "3"]],
    );
    const beside =
      "[[1000000000000000003, 0.30000000000000004, -20000000000000000.5, 2E-1000000000000000003]]";
    assert.deepEqual(read("t.json", `{"a": 1, "b": ${beside.replace("]]", "], []]")}}`), [
      null,
      ["1000000000000000003", "0.30000000000000004", "-20000000000000000", "0"],
      [],
    ]);
  });

  it("reads one category for each image, as iNaturalist has it, by the category's folder or name", () => {
    const content = {
      images: [1, 2, 3].map((id) => ({ id, file_name: `img/${id}.png` })),
      annotations: [1, 2].map((id) => ({ id: 9, image_id: id, category_id: id + 6 })),
      categories: [
        { id: 7, name: "Apis" },
        { id: 8, name: "Bufo", image_dir_name: "0008_Bufo" },
      ],
    };
    assert.deepEqual(read("t.json", JSON.stringify(content)), [
      ["file", "label"],
      ["img/1.png", "Apis"],
      ["img/2.png", "0008_Bufo"],
      ["img/3.png", ""],
    ]);
  });

  it("keeps all digits of whole numbers that are written as decimals", () => {
    const text =
      '[{"file": "1.png", "label": 9007199254740993.0}, {"file": "2.png", "label": 9007199254740992}]';
    assert.deepEqual(read("t.json", text), [
      ["file", "label"],
      ["1.png", "9007199254740993"],
      ["2.png", "9007199254740992"],
    ]);
  });

  it("reads CelebA's list of attributes with a single one", () => {
    assert.deepEqual(read("list_attr.txt", "2\nSmiling\n1.png -1\n2.png  1\n"), [
      null,
      ["Smiling"],
      ["1.png", "-1"],
      ["2.png", "1"],
    ]);
  });
});
