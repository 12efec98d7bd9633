import { stat } from "node:fs/promises";
import path from "node:path";
import { downloadFile } from "../../download.js";
import { InputError } from "../../errors.js";
import { cacheDir } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import { REASONS } from "./left-out.js";
import { type Listing, leaveOut, type Sample, type Usage } from "./listing.js";
import { headerOf } from "./tables/csv.js";
import { readTable } from "./tables/table-file.js";

/** FER-2013 as class folders of JPEG files. */
const URL = "https://codeload.github.com/parth1620/Facial-Expression-Dataset/tar.gz/refs/heads/master";
/** The votes of FER+. */
const VOTES_URL = "https://raw.githubusercontent.com/microsoft/FERPlus/master/fer2013new.csv";
const VOTES_SHA256 = "9206e20d62f56475939f516847d61753e4860caeac9718b560129541b776fc2c";

/**
 * Downloads the archive of FER-2013's class folders into the cache, once, and returns its path. The environment variable
 * `FERKIT_FER2013_URL` names a mirror.
 */
export async function downloadFer2013(onProgress?: OnProgress): Promise<string> {
  const file = path.join(cacheDir(), "downloads", "fer2013.tar.gz");
  await downloadFile(process.env.FERKIT_FER2013_URL ?? URL, file, {
    check: checkArchive,
    onProgress,
    instead: "Download it in another way, and give the archive or folder with --data PATH.",
  });
  return file;
}

/** Reads an archive to its end: GitHub packs it for each request, so it has no digest that is known. */
async function checkArchive(file: string): Promise<void> {
  const { list } = await import("tar");
  let numEntries = 0;
  const onReadEntry = () => {
    numEntries++;
  };
  await list({ file, strict: true, onReadEntry });
  if (numEntries === 0) throw new Error("an archive without files");
}

/**
 * First rows of PublicTest and PrivateTest in the original fer2013.csv, by its column Usage, and the number of rows. The files
 * of the class folders are named by row.
 */
const [PUBLIC_TEST, PRIVATE_TEST, NUM_ROWS] = [28_709, 32_298, 35_887];

/** Classes of the codes 0 to 6, as the data set's description gives them, and 7 of its extensions. */
export const CODES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"];

/**
 * Returns the part of the challenge that an image is in: by the table's column Usage, by a name such as `PublicTest_12.jpg`, or
 * by the row that names the file. Null if it is not known.
 */
export function usageOf({ usage, row, path: file }: Sample): Usage | null {
  if (usage) return usage;
  const named = /^(Training|PublicTest|PrivateTest)_\d+$/.exec(path.parse(file).name);
  if (named) return named[1] as Usage;
  const index = row ?? rowOf(file);
  if (index === null) return null;
  return index < PUBLIC_TEST ? "Training" : index < PRIVATE_TEST ? "PublicTest" : "PrivateTest";
}

/** Returns the row of fer2013.csv that a file is named by; null if it is none. */
export function rowOf(file: string): number | null {
  const { name } = path.parse(file);
  return /^\d+$/.test(name) && Number(name) < NUM_ROWS ? Number(name) : null;
}

export async function isVoteTable(file: string): Promise<boolean> {
  const columns = await headerOf(file).catch((): string[] => []);
  const names = columns.map((name) => name.toLowerCase());
  return Object.keys(VOTES).every((name) => names.includes(name));
}

/** Columns of FER+'s votes, with the classes' names in FER-2013. */
const VOTES: Record<string, string> = {
  neutral: "neutral",
  happiness: "happy",
  surprise: "surprise",
  sadness: "sad",
  anger: "angry",
  disgust: "disgust",
  fear: "fear",
  contempt: "contempt",
};

/** What ten people said of an image of FER-2013. */
export interface Vote {
  usage: Usage;
  /** Class that has more than half of the votes, those for "unknown" and "no face" included; null if there is none. */
  majority: string | null;
  /** Share of each class in the votes for a class; votes that only one person gave are left out. */
  shares: Record<string, number>;
}

/**
 * Reads fer2013new.csv, and applies the majority rule of its authors: votes of a single person are left out, and a class needs
 * more than half of the rest.
 *
 * @returns A vote for each row of fer2013.csv.
 * @see Barsoum et al. 2016, https://arxiv.org/abs/1608.01041
 */
export function readVotes(file: string): Vote[] {
  const table = readTable(path.dirname(file), path.basename(file));
  if (table?.damage) throw table.damage;
  const [header = [], ...rows] = table?.rows ?? [];
  const columns = header.map((name) => name.toLowerCase());
  const names = [...Object.keys(VOTES), "unknown", "nf"];
  const missing = ["usage", ...names].filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new InputError({
      expected: "the columns of FER+'s fer2013new.csv",
      where: file,
      found: `no ${missing.join(", ")}`,
      fix: "Choose fer2013new.csv of github.com/microsoft/FERPlus.",
    });
  return rows.map((row) => {
    const votes = names
      .map((name) => Number(row[columns.indexOf(name)]))
      .map((count) => (count > 1 ? count : 0));
    const total = votes.reduce((sum, count) => sum + count, 0);
    const best = votes.indexOf(Math.max(...votes));
    const classes = Object.values(VOTES);
    const labelled = classes.reduce((sum, _, i) => sum + votes[i], 0);
    return {
      usage: row[columns.indexOf("usage")] as Usage,
      majority: votes[best] > 0.5 * total ? (classes[best] ?? null) : null,
      shares: Object.fromEntries(classes.map((name, i) => [name, labelled > 0 ? votes[i] / labelled : 0])),
    };
  });
}

/**
 * Returns the path of FER+'s votes: beside the data, in a folder `ferplus` near it, in the cache, or downloaded into it.
 * The environment variable `FERKIT_FERPLUS_URL` names a mirror.
 */
export async function findVotes(data: string, onProgress?: OnProgress): Promise<string> {
  const name = "fer2013new.csv";
  const cached = path.join(cacheDir(), "downloads", name);
  const dir = path.dirname(path.resolve(data));
  const near = [path.resolve(data), dir, path.join(dir, "ferplus"), path.join(dir, "../ferplus")];
  for (const file of [...near.map((folder) => path.join(folder, name)), cached])
    if ((await stat(file).catch(() => null))?.isFile()) return file;
  const mirror = process.env.FERKIT_FERPLUS_URL;
  await downloadFile(mirror ?? VOTES_URL, cached, {
    ...(mirror === undefined && { sha256: VOTES_SHA256 }),
    check: checkVotes,
    onProgress,
    instead: "Download fer2013new.csv in another way, and give it with --labels FILE.",
  });
  return cached;
}

/** Checks that a table of votes ends with a whole row. */
async function checkVotes(file: string): Promise<void> {
  const { rows } = readTable(path.dirname(file), path.basename(file)) ?? { rows: [] };
  if (!(await isVoteTable(file))) throw new Error("no table of FER+'s votes");
  if (rows.at(-1)?.length !== rows[0].length) throw new Error("a table whose last row is cut short");
}

/** Choices of labels that are FER+'s: of the majority of its votes, and of their shares too. */
export const VOTE_LABELS = ["ferplus", "ferplus-soft"];

/** Replaces the labels by those of FER+ if these were chosen, by name or as a table of votes. */
export async function withVotes(
  listing: Listing,
  { labels, data, onProgress }: { labels?: string; data: string; onProgress?: OnProgress },
): Promise<Listing> {
  if (!labels) return listing;
  const isName = VOTE_LABELS.includes(labels);
  if (!isName && !(await isVoteTable(labels))) return listing;
  const file = isName ? await findVotes(data, onProgress) : labels;
  return relabel(listing, readVotes(file), labels === "ferplus-soft");
}

/**
 * Replaces the labels of FER-2013 by those of FER+.
 *
 * @param isSoft - Keep the shares of the votes as labels, too.
 * @throws InputError if the files are not named by the rows of fer2013.csv.
 */
export function relabel(listing: Listing, votes: Vote[], isSoft: boolean): Listing {
  const { where } = listing;
  const samples = listing.samples.flatMap((sample) => {
    const row = sample.row ?? rowOf(sample.path);
    const vote = row === null ? undefined : votes[row];
    if (!vote)
      throw new InputError({
        expected: `files named by the rows 0 to ${votes.length - 1} of fer2013.csv, for FER+'s labels`,
        where,
        found: sample.path,
        fix: "Choose fer2013.csv, or the class folders of FER-2013 that are named by row.",
      });
    if (vote.majority === null) {
      leaveOut(listing, REASONS.noMajority, sample);
      return [];
    }
    return [
      { ...sample, usage: vote.usage, className: vote.majority, ...(isSoft && { shares: vote.shares }) },
    ];
  });
  const labels = isSoft ? "FER+ (shares of votes)" : "FER+ (majority)";
  return { ...listing, labels, isTable: false, samples };
}
