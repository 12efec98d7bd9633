// A classifier with random weights and a temporary folder, new for each test.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Classifier } from "../../src/inference/classifier.js";
import { randomNetwork } from "../model/fixtures.js";

export const IMAGE_SIZE = 33;
export const CLASS_NAMES = ["circle", "square", "triangle"];

/** Sets up both around each test of the suite that calls it. */
export function classifierInFolder(): { readonly dir: string; readonly classifier: Classifier } {
  const state = {} as { dir: string; classifier: Classifier };
  beforeEach(() => {
    state.dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-classifier-"));
    state.classifier = new Classifier(randomNetwork({ imageSize: IMAGE_SIZE, classNames: CLASS_NAMES }));
  });
  afterEach(() => {
    state.classifier.dispose();
    rmSync(state.dir, { recursive: true });
  });
  return state;
}
