import assert from "node:assert/strict";
import sharp from "sharp";
import { fitText, textWidth } from "../../src/charts/layout.js";
import { installFonts } from "../../src/charts/render.js";

/** Pixels from the left end of the ink to the right one, of semi-bold text. */
async function drawnWidth(text: string, fontSize: number): Promise<number> {
  await installFonts();
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="900" height="60"><rect width="900" height="60" fill="white"/><text x="10" y="40" font-family="Inter" font-weight="600" font-size="${fontSize}">${text}</text></svg>`;
  const { info } = await sharp(Buffer.from(svg)).trim().toBuffer({ resolveWithObject: true });
  return info.width;
}

describe("textWidth", () => {
  for (const text of ["surprise", "Confusion matrix", "WILLIAM 1,804 (99.9%)", "émotion → Ärger ★", "Ждать"])
    it(`is a little more than what is drawn of "${text}"`, async () => {
      const drawn = await drawnWidth(text, 30);
      const estimated = textWidth(text, 30);
      assert.ok(estimated >= drawn && estimated < 1.35 * drawn + 5, `${estimated} for ${drawn}`);
    });
});

describe("fitText", () => {
  it("leaves what fits", () => {
    assert.equal(fitText("happy", 100, 12), "happy");
  });

  it("cuts what does not, at whole characters", () => {
    const cut = fitText("🙂🙂🙂🙂🙂🙂", 50, 12);
    assert.match(cut, /^🙂+…$/u);
    assert.ok(textWidth(cut, 12) <= 50);
  });
});
