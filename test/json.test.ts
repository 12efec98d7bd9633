import assert from "node:assert/strict";
import fc from "fast-check";
import { flatten, parseJson } from "../src/json.js";

describe("parseJson", () => {
  it("reads what JSON.parse reads, also after a byte-order mark", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const little = Buffer.from(`\ufeff${text}`, "utf16le");
        assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text));
        assert.deepEqual(parseJson(little), JSON.parse(text));
        assert.deepEqual(parseJson(little.swap16()), JSON.parse(text));
        assert.deepEqual(parseJson(Buffer.from(`\ufeff${text}`)), JSON.parse(text));
      }),
    );
  });

  it("reads names that come again in other objects", () => {
    const text = '{"a": {"a": "a"}, "b": [{"a": 1}, {"a": "\\"a\\":"}]}';
    assert.deepEqual(parseJson(Buffer.from(text)), JSON.parse(text));
  });

  const wrong: [text: string, message: string][] = [
    ['{\n  "a": 1,\n}', "line 2, column 9: a comma before }"],
    ["[1, 2,]", "line 1, column 6: a comma before ]"],
    ['{\n  // mine\n  "a": 1\n}', "line 2, column 3: a comment, which JSON does not have"],
    ['{"a": 1 /* one */}', "line 1, column 9: a comment, which JSON does not have"],
    ["# mine\n{}", "line 1, column 1: a comment, which JSON does not have"],
    ["{'a': 1}", "line 1, column 2: a single quote instead of a double quote"],
    ["{a: 1}", "line 1, column 2: a instead of a name in double quotes"],
    ['{"a" 1}', "line 1, column 6: 1 instead of a colon"],
    ['{"a": 1 "b": 2}', 'line 1, column 9: "b" instead of a comma or the end'],
    ['{"a": "b}', "line 1, column 7: a text without its closing quote"],
    ['{"a": NaN}', "line 1, column 7: NaN instead of a value"],
    ['{"a": 1', "line 1, column 8: the end of the file instead of a comma or the end"],
    ["", "line 1, column 1: the end of the file instead of a value"],
    ["{} {}", "line 1, column 4: { instead of nothing more"],
    ["[1}", "line 1, column 3: } instead of a comma or the end"],
    ["[01]", "line 1, column 3: 1 instead of a comma or the end"],
    ['{"a" : 1,\n "a"\t: "b\\": \\":"}', 'line 2, column 2: the name "a" for the second time'],
    ['{"a": 1,\n "a": 1}', 'line 2, column 2: the name "a" for the second time'],
    [
      '[{"b": {"a": [{}]}, "c": "a", "\\u0062": 1}]',
      'line 1, column 31: the name "\\u0062" for the second time',
    ],
  ];
  for (const [text, message] of wrong)
    it(`says of ${JSON.stringify(text)} where it is wrong`, () => {
      assert.throws(() => parseJson(Buffer.from(text)), { name: "SyntaxError", message });
    });

  it("finds what is wrong in every text that is cut short or changed, in linear time", () => {
    const change = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 }));
    fc.assert(
      fc.property(change, ([text, at, put]) => {
        const bytes = Buffer.from(text.slice(0, at % (text.length + 1)) + put);
        const changed = new TextDecoder().decode(bytes);
        let isRight = true;
        try {
          JSON.parse(changed);
        } catch {
          isRight = false;
        }
        if (isRight) parseJson(bytes);
        else assert.throws(() => parseJson(bytes), /^SyntaxError: line \d+, column \d+: ./);
      }),
    );
    assert.throws(() => parseJson(Buffer.from("[".repeat(1e5))), /column 100001: the end of the file/);
  });
});

describe("flatten", () => {
  it("names inner values by dots, and takes a list or null as one value", () => {
    assert.deepEqual(
      [...flatten({ epochs: 3, augment: { zoom: [0.9, 1.1], deeper: { none: null } } })],
      [
        ["epochs", 3],
        ["augment.zoom", [0.9, 1.1]],
        ["augment.deeper.none", null],
      ],
    );
  });
});
