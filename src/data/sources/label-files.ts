// Files beside the images that have their labels, as webdataset's tar files hold them.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { groupBy } from "../../collections.js";
import { decodeRoughly, decodeText, EncodingError, SAVE_AS_UTF8 } from "../../decode.js";
import { InputError } from "../../errors.js";
import { parseExactJson } from "../../json.js";
import { areOneToOne } from "../../names.js";
import { collectSamples } from "./file-names.js";
import { IMAGE_ENDING, imagesBelow, leaveOutOthers, otherFilesIn, type Walk } from "./files.js";
import { REASONS } from "./left-out.js";
import type { Listing, Sample } from "./listing.js";
import { isSplitName, LABEL_FIELDS } from "./tables/column-names.js";
import { listRows } from "./tables/image-rows.js";
import type { LabelChoice } from "./tables/label-columns.js";

const LABEL_ENDING = /\.(cls|json)$/i;
/** A larger file beside an image describes more than its class. */
const MAX_LABEL_BYTES = 2 ** 14;
/** Characters of the longest label. */
const MAX_FIELD = 100;

/** What a file beside an image says about it. */
interface BesideImage {
  label: string | null;
  /** Fields of JSON, which may name the part of the split. */
  fields: Record<string, string>;
  /** Set if bytes of the file are not text. */
  damage?: InputError;
}

/**
 * Reads pairs of an image and a file of the same name with its label, as webdataset's tar files hold: `.cls`, or `.json` with
 * a field `label`. The split is in another field of it, or in the folders' names.
 *
 * @returns Null if the folder holds no such pairs.
 */
export function readLabelFiles(walk: Walk, choice: LabelChoice): Listing | null {
  const { dir, root, leftOut } = walk;
  const files = otherFilesIn(root).filter((file) => LABEL_ENDING.test(file));
  const keyBy = sampleKey(files);
  const labelFiles = groupBy(files, keyBy);
  const images = imagesBelow(root);
  const labelled = images.filter((image) => labelFiles.has(keyBy(image)));
  if (labelled.length * 2 < images.length || labelled.length === 0) return null;
  const { chosen, others, notes } = chooseImages(labelled, keyBy, dir);
  const pairs = new Map(chosen.map((image) => [image, readPair(dir, labelFiles.get(keyBy(image)) ?? [])]));
  notes.push(...chooseLabels([...pairs.values()], choice, dir));
  if ([...pairs.values()].every(({ label }) => label === null)) return null;
  const unused = new Set(others);
  for (const image of unused) leftOut.add(REASONS.otherImage, image);
  leaveOutOthers(
    walk,
    new Set([...pairs.values()].flatMap(({ labelFile, fieldsFile }) => [labelFile, fieldsFile])),
  );
  const rest = images.filter((image) => !unused.has(image));
  const labelIn = (image: string) => pairs.get(image)?.label ?? null;
  const found = collectSamples(walk, rest, REASONS.noLabelBeside, labelIn);
  const beside = { file: "the files beside the images", where: dir, areNames: false };
  const listing = listRows({ ...beside, ...fieldRows(found, pairs) }, choice, walk, notes);
  return { ...listing, labels: "a file beside each image", isTable: false };
}

/** Returns whether some of these files are an image and a file that may have its label. */
export function holdPairs(files: string[]): boolean {
  const labelFiles = files.filter((file) => LABEL_ENDING.test(file));
  const keyBy = sampleKey(labelFiles);
  const keys = new Set(labelFiles.map(keyBy));
  return files.some((file) => IMAGE_ENDING.test(file) && keys.has(keyBy(file)));
}

/**
 * Returns what gives a file the key of its sample, as webdataset defines it: the path up to the name's first dot, as of `1.cls` and
 * `1.mask.png`. If that makes one sample of `cat.1.cls` and `cat.2.cls`, the key ends at the last dot.
 */
function sampleKey(labelFiles: string[]): (file: string) => string {
  const upToFirstDot = (file: string) =>
    path.posix.join(path.posix.dirname(file), path.posix.basename(file).split(".")[0]);
  const areStems = ["cls", "json"].some((ending) => {
    const ofEnding = labelFiles.filter((file) => file.toLowerCase().endsWith(`.${ending}`));
    return new Set(ofEnding.map(upToFirstDot)).size < ofEnding.length;
  });
  return areStems ? (file) => file.replace(/\.[^./]+$/, "") : upToFirstDot;
}

/** Lists the fields of each image's JSON as rows of a table. */
function fieldRows(found: readonly Sample[], pairs: ReadonlyMap<string, LabelPair>) {
  const fieldsIn = (file: string) => pairs.get(file)?.fields ?? {};
  const columns = [...new Set(found.flatMap((sample) => Object.keys(fieldsIn(sample.path))))];
  const rows = found.map(({ path: file, className, split }) => {
    const fields = fieldsIn(file);
    const cells = columns.map((name) => fields[name] ?? "");
    return { path: file, name: file, label: className, cells, part: split };
  });
  return { columns, rows };
}

/** Reads a file beside an image: text, or JSON with a field for the label. */
function besideImage(dir: string, file: string): BesideImage {
  const isJson = /\.json$/i.test(file);
  const { text, damage } = textBeside(dir, file);
  const label = isJson || text.includes("\n") || text.length > MAX_FIELD ? null : text || null;
  if (!isJson) return { label, fields: {}, damage };
  try {
    const content = parseExactJson(text);
    const entries =
      typeof content === "object" && content !== null ? Object.entries(content) : [["label", content]];
    const isPlain = (value: unknown) => ["string", "number", "boolean"].includes(typeof value);
    const fields: Record<string, string> = Object.fromEntries(
      entries.flatMap(([name, value]) =>
        isPlain(value) ? [[name, String(value).slice(0, MAX_FIELD + 1)]] : [],
      ),
    );
    const name = LABEL_FIELDS.find((one) => one in fields);
    if (name === undefined) return { label, fields, damage };
    const { [name]: own, ...others } = fields;
    return { label: own.length > MAX_FIELD ? null : own.trim(), fields: others, damage };
  } catch {
    return { label, fields: {}, damage };
  }
}

/** Returns the text of a file, and an error if some of its bytes are not text. */
function textBeside(dir: string, file: string): { text: string; damage?: InputError } {
  const onDisk = path.join(dir, file);
  if (statSync(onDisk).size > MAX_LABEL_BYTES) return { text: "" };
  const bytes = readFileSync(onDisk);
  try {
    return { text: decodeText(bytes).trim() };
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    const problem = { expected: "a file beside an image in UTF-8", where: file, found: error.message };
    return { text: decodeRoughly(bytes).trim(), damage: new InputError({ ...problem, fix: SAVE_AS_UTF8 }) };
  }
}

/** The labels of a sample in two files, or in one. */
interface LabelPair extends Omit<BesideImage, "damage"> {
  other: string | null;
  labelFile: string;
  fieldsFile: string;
}

/**
 * @param files - The files beside an image: one or more.
 * @throws InputError if bytes are not text.
 */
function readPair(dir: string, files: string[]): LabelPair {
  const [cls, json] = [/\.cls$/i, /\.json$/i].map((ending) =>
    files.filter((file) => ending.test(file)).at(-1),
  );
  const labelFile = cls ?? files[0];
  const fieldsFile = json ?? labelFile;
  const own = besideImage(dir, labelFile);
  const other = labelFile === fieldsFile ? own : besideImage(dir, fieldsFile);
  const { fields, damage } = other;
  if (own.damage) throw own.damage;
  // Bytes that are not text matter only where the second file has a label or a split, too.
  if (damage && (other.label !== null || Object.keys(fields).some(isSplitName))) throw damage;
  return { label: own.label, other: other.label, fields: damage ? {} : fields, labelFile, fieldsFile };
}

/**
 * Chooses between the labels in `.cls` and in `.json` files. They may be other names for the same classes.
 *
 * @returns Notes on what was chosen.
 * @throws InputError if they are not, so that some are wrong or of another kind.
 */
function chooseLabels(all: LabelPair[], { labelColumn }: LabelChoice, dir: string): string[] {
  if (labelColumn === "json") for (const pair of all) pair.label = pair.other ?? pair.label;
  if (labelColumn === "cls" || labelColumn === "json") return [];
  const both = all.filter(({ label, other }) => label !== null && other !== null);
  const differing = both.find(({ label, other }) => label !== other);
  if (!differing) return [];
  const others = new Set(both.map(({ other }) => other));
  const pairs = both.map(({ label, other }) => [`${label}`, `${other}`] as const);
  if (areOneToOne(pairs) && !both.some(({ label }) => others.has(label)))
    return [
      `The labels of the .cls files are used. Those of the .json files are other names for them, such as ${differing.other} for ${differing.label} (--label-column json takes these).`,
    ];
  throw new InputError({
    expected: "one label for each image",
    where: dir,
    found: `${differing.labelFile} with ${differing.label}, and ${differing.fieldsFile} with ${differing.other}`,
    fix: "Choose --label-column cls or --label-column json.",
  });
}

/** Words in the names of images to train on, as in `1.image.png`, beside others such as `1.mask.png`. */
const IMAGE_WORDS = ["", "image", "img", "input", "rgb", "photo", "jpg", "jpeg", "png"];

/**
 * Chooses the image of each sample. A sample may have more, such as `1.mask.png` beside `1.jpg`.
 *
 * @throws InputError if it is not clear which is meant.
 */
function chooseImages(
  images: string[],
  keyBy: (file: string) => string,
  dir: string,
): { chosen: string[]; others: string[]; notes: string[] } {
  const kindOf = (image: string) =>
    image.slice(keyBy(image).length).toLowerCase().split(".").slice(1, -1).join(".");
  const samples = [...groupBy(images, keyBy).values()];
  const several = samples.find((sample) => sample.length > 1);
  if (!several) return { chosen: images, others: [], notes: [] };
  const kinds = new Set(images.map(kindOf));
  const kind = IMAGE_WORDS.find((word) => kinds.has(word));
  const isChosen = (image: string) => kindOf(image) === kind;
  const unclear = samples.find((sample) => sample.filter(isChosen).length > 1);
  if (kind === undefined || unclear)
    throw new InputError({
      expected: "one image for each label",
      where: dir,
      found: (unclear ?? several).join(" and "),
      fix: "Remove the others, or rename the image to train on as 1.jpg beside 1.cls.",
    });
  const [chosen, others] = [images.filter(isChosen), images.filter((image) => !isChosen(image))];
  const note = `Samples hold several images: ${chosen[0]} and its like are used, ${others[0]} and its like are not.`;
  return { chosen, others, notes: [note] };
}
