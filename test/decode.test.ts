import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeText, encodingOf, wholeLength } from "../src/decode.js";

describe("decodeText", () => {
  const utf16 = (text: string) => Buffer.from(text, "utf16le");

  it("reads what is written in UTF-8 and UTF-16, also the replacement character itself", () => {
    const texts = fc.string({ unit: "binary" }).filter((text) => !/\0|^\ufeff/.test(text));
    fc.assert(
      fc.property(texts, (text) => {
        assert.equal(decodeText(Buffer.from(text)), text);
        assert.equal(decodeText(Buffer.from(`\ufeff${text}`)), text);
        assert.equal(decodeText(utf16(`\ufeff${text}`)), text);
        assert.equal(decodeText(utf16(`\ufeff${text}`).swap16()), text);
      }),
    );
    assert.equal(decodeText(Buffer.from("a\ufffdb")), "a\ufffdb");
    assert.equal(decodeText(utf16("\ufeffa\ufffdb")), "a\ufffdb");
  });

  const latin = (text: string) => Buffer.from(text, "latin1");
  for (const [bytes, message] of [
    [latin("0,a\n1,p\xeache\n"), "line 2 with the byte EA, not in UTF-8"],
    [latin("0,a\r1,p\xeache\r"), "line 2 with the byte EA, not in UTF-8"],
    [latin("0,a\r\n1,\xea"), "line 2 with the byte EA, not in UTF-8"],
    [
      Buffer.concat([Buffer.from("\ufffd,è\n"), latin("\xc4\xfa")]),
      "line 2 with the bytes C4 FA, not in UTF-8",
    ],
    [utf16("a,b\n"), "line 1 with the bytes 61 00, in UTF-16 without a byte-order mark"],
    [utf16("a,b\n").swap16(), "line 1 with the bytes 00 61, in UTF-16 without a byte-order mark"],
    [latin("a\nb\0c"), "line 2 with the byte 00, which text does not have"],
    [utf16("\ufeffa\n\ud800b"), "line 2 with the bytes 00 D8, not in UTF-16"],
    [utf16("\ufeffa\n\ufffdb").subarray(0, -1), "line 2 with the byte 62, not in UTF-16"],
  ] as const)
    it(`says of ${bytes.toString("hex")} which bytes are in the way`, () => {
      assert.throws(() => decodeText(bytes), { name: "EncodingError", message });
    });

  it("knows where a character ends, so that a file is decoded in pieces", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), fc.nat(), fc.boolean(), (text, at, isWide) => {
        fc.pre(!/\0|^\ufeff/.test(text));
        const bytes = isWide ? utf16(`\ufeff${text}`) : Buffer.from(text);
        const encoding = encodingOf(bytes);
        const cut = wholeLength(bytes.subarray(0, at % (bytes.length + 1)), encoding);
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        assert.equal(
          pieces.map((piece, i) => decodeText(piece, encoding, cut > 0 ? i + 1 : 1)).join(""),
          text,
        );
      }),
    );
  });
});
