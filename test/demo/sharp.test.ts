import assert from "node:assert/strict";
import path from "node:path";
import sharp, { type Sharp } from "sharp";
import sharpOnPage from "../../demo/sharp.js";
import { projectDir } from "../workspace.js";

describe("sharp on the page", () => {
  const photo = path.join(projectDir, "test/faces/photos/grace-hopper.jpg");
  let pixels: Buffer;
  let raw: { width: number; height: number; channels: 3 };

  before("decodes a photograph", async () => {
    const { data, info } = await sharp(photo).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    pixels = data;
    raw = { width: info.width, height: info.height, channels: 3 };
  });

  type Steps = Pick<Sharp, "extract" | "extend" | "resize" | "raw" | "toBuffer">;

  /** Runs the same steps in both, and returns their differences. */
  async function compare(run: (image: Steps) => Steps): Promise<{ largest: number; mean: number }> {
    const [own, theirs] = await Promise.all(
      [sharpOnPage(pixels, { raw }) as unknown as Steps, sharp(pixels, { raw })].map((image) =>
        run(image).raw().toBuffer({ resolveWithObject: true }),
      ),
    );
    assert.deepEqual([own.info.width, own.info.height], [theirs.info.width, theirs.info.height]);
    const differences = Array.from(own.data as Uint8Array, (value, i) => Math.abs(value - theirs.data[i]));
    const sum = differences.reduce((total, value) => total + value, 0);
    return { largest: differences.reduce((a, b) => Math.max(a, b), 0), mean: sum / differences.length };
  }

  const fill = { fit: "fill", kernel: "cubic" } as const;
  for (const [what, width, height] of [
    ["reduces", 437, 512],
    ["reduces by blocks first", 93, 112],
    ["enlarges", 700, 820],
    ["reduces one side and enlarges the other", 300, 700],
  ] as const)
    it(`${what}`, async () => {
      const { largest, mean } = await compare((image) => image.resize(width, height, fill));
      assert.ok(largest <= 3 && mean < 0.3, `${largest}, mean ${mean}`);
    });

  it("cuts out and extends by a colour, or by a mirror that is larger than the image", async () => {
    const box = { left: 100, top: 50, width: 30, height: 40 };
    const beyond = { left: 20, top: 7, right: 70, bottom: 11 };
    for (const more of [{ background: { r: 128, g: 128, b: 128 } }, { extendWith: "mirror" as const }]) {
      const { largest } = await compare((image) => image.extract(box).extend({ ...beyond, ...more }));
      assert.equal(largest, 0);
    }
  });
});
