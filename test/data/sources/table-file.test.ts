import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { parseRows, readTable, whyNoTable } from "../../../src/data/sources/table-file.js";
import { temporaryFolder } from "../fixtures.js";

describe("parseRows", () => {
  const cases: [string, string, string[][]][] = [
    [
      "commas and a missing last cell",
      "a,b\n1,\n,2\n",
      [
        ["a", "b"],
        ["1", ""],
        ["", "2"],
      ],
    ],
    [
      "quotes",
      '"a, ""b""",c\r\n"d\ne", f\r\n',
      [
        ['a, "b"', "c"],
        ["d\ne", "f"],
      ],
    ],
    [
      "carriage returns alone as line breaks, also in quotes",
      '#x\ra,b\r"1\r2",3\r\r4,5\r',
      [
        ["a", "b"],
        ["1\r2", "3"],
        ["4", "5"],
      ],
    ],
    [
      "semicolons and a byte-order mark",
      "\uFEFFa;b\n1;2,3",
      [
        ["a", "b"],
        ["1", "2,3"],
      ],
    ],
    [
      "tabs",
      "a b\tc\n1\t2\n",
      [
        ["a b", "c"],
        ["1", "2"],
      ],
    ],
    [
      "blanks",
      "train_00001.jpg 5\ntrain_00002.jpg  3\n\n",
      [
        ["train_00001.jpg", "5"],
        ["train_00002.jpg", "3"],
      ],
    ],
    [
      "bars",
      "a b|c|d\n1|2, 3|4\n",
      [
        ["a b", "c", "d"],
        ["1", "2, 3", "4"],
      ],
    ],
    [
      "comments before the header",
      "# made by x, y and z\n#\na,b\n#1,2\n",
      [
        ["a", "b"],
        ["#1", "2"],
      ],
    ],
    [
      "a header that is a comment, as NumPy writes it",
      "# made by x\n# a,b\n1,2\n",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      "a first line with the number of rows, as CelebA's lists have it",
      "2\nMale Smiling\n1.jpg -1  1\n2.jpg  1 -1\n",
      [
        ["Male", "Smiling"],
        ["1.jpg", "-1", "1"],
        ["2.jpg", "1", "-1"],
      ],
    ],
    ["a first line with another number", "7\n1,cat\n2,dog\n", [["7"], ["1", "cat"], ["2", "dog"]]],
    [
      "a header that starts with #",
      "#,a\n1,2\n",
      [
        ["#", "a"],
        ["1", "2"],
      ],
    ],
    [
      "blanks after commas",
      "emotion, Usage, pixels\n0, Training, 1 2\n",
      [
        ["emotion", "Usage", "pixels"],
        ["0", "Training", "1 2"],
      ],
    ],
  ];
  for (const [name, text, rows] of cases)
    it(`reads ${name}`, () => {
      assert.deepEqual(parseRows(text), rows);
    });
});

describe("parseRows with large input", () => {
  it("reads a quoted cell of millions of characters", () => {
    const long = 'x""'.repeat(2e6);
    const [[first, second]] = parseRows(`"${long}",b\n`);
    assert.deepEqual([first.length, second], [4e6, "b"]);
  });

  it("takes a time in proportion to the length, also where quotes do not match", () => {
    for (const part of ['"', '"a', '"",', '"a""b,', '" "', '""a']) {
      const rows = parseRows(`a,b\n${part.repeat(2e5 / part.length)}`);
      assert.deepEqual(rows[0], ["a", "b"]);
    }
  }).timeout(10_000);
});

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

  it("says why a file is no table, and what to do", () => {
    const why = (name: string, content: unknown) => {
      writeFileSync(inFolder(name), typeof content === "string" ? content : JSON.stringify(content));
      const found = whyNoTable(inFolder("."), name);
      return found && `${found.reason}. ${found.fix}`;
    };
    const write = "Write a CSV with the columns file and label.";
    assert.equal(why("t.csv", "a,b\n1,2\n"), null);
    assert.equal(why("t.json", [{ file: "1.png" }]), null);
    assert.equal(why("t.xlsx", "PK"), ".xlsx files are not read. Save it as CSV.");
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
});
