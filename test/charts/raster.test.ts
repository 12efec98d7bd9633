import assert from "node:assert/strict";
import sharp from "sharp";
import { rasterize, textWidth } from "../../src/charts/raster.js";

const drawing = (text: string, size = 30) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="60"><rect width="900" height="60" fill="white"/><text x="10" y="40" font-family="Inter, sans-serif" font-weight="600" font-size="${size}">${text}</text></svg>`;

describe("rasterize", () => {
  it("enlarges a drawing", async () => {
    const { format, width, height } = await sharp(await rasterize(drawing("a"), 2)).metadata();
    assert.deepEqual([format, width, height], ["png", 1800, 120]);
  });

  it("draws letters in the package's font, without fonts of the system", async () => {
    const dark = async (text: string) => {
      const pixels = await sharp(await rasterize(drawing(text), 1))
        .greyscale()
        .raw()
        .toBuffer();
      return pixels.filter((value: number) => value < 128).length;
    };
    const [dots, letters] = [await dark("...."), await dark("WWWW")];
    assert.ok(dots > 10 && letters > 10 * dots, `${dots} pixels of dots, ${letters} of letters`);
    assert.notEqual(await dark("abcd"), await dark("wxyz")); // without a font all letters are the same box
  });
});

describe("textWidth", () => {
  for (const text of ["surprise", "Confusion matrix", "WILLIAM 1,804 (99.9%)", "émotion → Ärger ★", "Ждать"])
    it(`is about the drawn width of "${text}"`, async () => {
      // from the left end of the ink to the right one, with kerning; the sum of the advances is a little wider
      const picture = sharp(await rasterize(drawing(text), 1));
      const { info } = await picture.trim().toBuffer({ resolveWithObject: true });
      const width = textWidth(text, 30);
      assert.ok(width > info.width - 2 && width < 1.03 * info.width + 5, `${width} for ${info.width}`);
    });

  it("counts spaces, grows with the font size and is 0 for an empty text", () => {
    assert.ok(textWidth("a b", 12) > textWidth("ab", 12) + 2);
    assert.equal(textWidth("abc", 24), 2 * textWidth("abc", 12));
    assert.equal(textWidth("", 12), 0);
  });

  it("measures markup literally", () => {
    assert.ok(textWidth("<b>&amp;", 12) > textWidth("<b>&", 12));
  });
});
