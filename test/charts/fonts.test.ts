import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { installFonts } from "../../src/charts/fonts.js";
import { cacheDir } from "../../src/files.js";

describe("installFonts", () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-fonts-"));
    writeFileSync(path.join(dir, "no-fonts.conf"), "<fontconfig></fontconfig>");
  });
  after(() => rmSync(dir, { recursive: true }));

  /** Draws a text on a machine without fonts. */
  function draw(text: string, when: "never" | "first" | "late"): { numDark: number; digest: string } {
    const script = path.join(__dirname, "text-on-picture.ts");
    const output = execFileSync(process.execPath, ["--require", "tsx/cjs", script, text, when], {
      env: {
        ...process.env,
        FONTCONFIG_FILE: path.join(dir, "no-fonts.conf"),
        FERKIT_CACHE: path.join(dir, "cache & <co>"),
      },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return JSON.parse(output);
  }

  it("draws letters on a machine without a font", () => {
    // Without a font every letter is the same box, so two words of four letters look alike.
    assert.equal(draw("abcd", "never").digest, draw("wxyz", "never").digest);
    assert.notEqual(draw("abcd", "first").digest, draw("wxyz", "first").digest);
    const [dots, letters] = [draw("....", "first").numDark, draw("WWWW", "first").numDark];
    assert.ok(dots > 10 && letters > 10 * dots, `${dots} pixels of dots, ${letters} of letters`);
  });

  it("does so after pictures without text have been drawn", () => {
    assert.equal(draw("abcd", "late").digest, draw("abcd", "first").digest);
  });

  it("writes a configuration to the user's cache, once", async () => {
    const file = await installFonts();
    assert.equal(path.dirname(file), path.join(cacheDir(), "fonts"));
    assert.equal(process.env.FONTCONFIG_FILE, file);
    const folders = [...readFileSync(file, "utf8").matchAll(/<dir>(.*)<\/dir>/g)].map(([, folder]) => folder);
    assert.equal(folders.length, 2);
    assert.ok(folders.every((folder) => existsSync(folder)));
    assert.equal(await installFonts(), file);
  });
});
