import { existsSync, realpathSync } from "node:fs";
import path from "node:path";

const folder = path.join(__dirname, "../models");

/** The folders of the bundled models, which predict facial expressions: as FER+ labels them, and as FER-2013 does. */
export const BUNDLED_MODELS = {
  ferplus: path.join(folder, "ferplus"),
  fer2013: path.join(folder, "fer2013"),
};

/** What all of them were trained on, as their cards say. */
export const BUNDLED_TRAINING = "FER-2013's folder train";

/** Returns the name of the bundled model in a folder, if it is one of theirs. */
export function bundledName(dir: string): keyof typeof BUNDLED_MODELS | undefined {
  const real = (file: string) => (existsSync(file) ? realpathSync(file) : path.resolve(file));
  const names = Object.keys(BUNDLED_MODELS) as (keyof typeof BUNDLED_MODELS)[];
  return names.find((name) => real(BUNDLED_MODELS[name]) === real(dir));
}
