import path from "node:path";

const folder = path.join(__dirname, "../models");

/** The folders of the bundled models, which predict facial expressions: as FER+ labels them, and as FER-2013 does. */
export const BUNDLED_MODELS = {
  ferplus: path.join(folder, "ferplus"),
  fer2013: path.join(folder, "fer2013"),
};
