import assert from "node:assert/strict";
import { walkFolder } from "../../../../src/data/sources/files.js";
import type { LabelChoice } from "../../../../src/data/sources/tables/label-columns.js";
import { readLabelTables } from "../../../../src/data/sources/tables/label-tables.js";
import { matchTables } from "../../../../src/data/sources/tables/matched-tables.js";
import { temporaryFolder, writeFiles } from "../../fixtures.js";

/** Returns files that stand for images, by path. */
export function images(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, "x"]));
}

/** Reads the labels of a folder from tables in it, by default all. */
export function readTables(dir: string, choice: LabelChoice = {}, chosen?: string[]) {
  const walk = walkFolder(dir);
  return readLabelTables(walk, choice, matchTables(walk, choice, chosen));
}

/** Three images in a folder. */
export const FILES = images("img/1.jpg", "img/2.jpg", "img/3.jpg");

/** Returns functions that read files with tables of labels, in the folder of the running test. Call it inside `describe`. */
export function tablesBesideImages() {
  const inFolder = temporaryFolder();
  const read = (files: Record<string, string>, choice: LabelChoice = {}, ...given: string[]) => {
    const dir = writeFiles(inFolder("data"), files);
    return readTables(dir, choice, given.length > 0 ? given : undefined);
  };
  const summary = (...given: Parameters<typeof read>) =>
    read(...given)
      ?.samples.map(({ path, className, split }) => `${path} ${className} ${split}`)
      .sort();
  const rejects = (files: Record<string, string>, message: string, choice: LabelChoice = {}) =>
    assert.throws(() => read(files, choice), { name: "InputError", message });
  return { inFolder, read, summary, rejects };
}

/** Returns functions that read one table of labels for the images `a.png` to `e.png`. Call it inside `describe`. */
export function tableBesideImages() {
  const { inFolder, read: readFiles } = tablesBesideImages();
  const IMAGES = images("a.png", "b.png", "c.png", "d.png", "e.png");
  const read = (table: string, choice: LabelChoice = {}, name = "labels.csv") =>
    readFiles({ ...IMAGES, [name]: table }, choice, name);
  const labels = (...given: Parameters<typeof read>) =>
    read(...given)
      ?.samples.map(({ className, split }) => (split === null ? className : `${className} ${split}`))
      .join(", ");
  return { inFolder, read, labels };
}
