import assert from "node:assert/strict";
import { parseRows } from "../../../src/data/sources/table-file.js";

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
