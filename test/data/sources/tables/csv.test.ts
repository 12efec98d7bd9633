import assert from "node:assert/strict";
import { headerOf, parseRows } from "../../../../src/data/sources/tables/csv.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

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
      "a first line that names the separator, as Excel reads it",
      '\uFEFFsep=;\r\n"a,b,c";d\r\n1;2\r\n',
      [
        ["a,b,c", "d"],
        ["1", "2"],
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

describe("headerOf", () => {
  const inFolder = temporaryFolder();

  it("reads the header below a line that names the separator", async () => {
    const dir = writeFiles(inFolder("data"), { "t.csv": "sep=;\nlabel,kind;pixels\n1;0 0\n" });
    assert.deepEqual(await headerOf(`${dir}/t.csv`), ["label,kind", "pixels"]);
  });

  it("reads the header below comments, also after the separator's line", async () => {
    const dir = writeFiles(inFolder("data"), { "t.csv": "sep=;\n# made by hand\nlabel;pixels\n1;0 0\n" });
    assert.deepEqual(await headerOf(`${dir}/t.csv`), ["label", "pixels"]);
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
