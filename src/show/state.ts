// What one notebook leaves for the next: files, never variables of a kernel.
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { TrainConfig } from "../config.js";
import type { DataOptions } from "../data/data-options.js";
import { checkDataset, type Dataset } from "../data/dataset.js";
import { listDigest, listImages } from "../data/image-list.js";
import { checkKind, checkPath, InputError } from "../errors.js";
import { writeFileAtomically } from "../files.js";
import { prettyJson } from "../json.js";
import type { PresetText } from "../presets.js";
import { readJsonFile } from "../saved-files.js";
import { lockRun } from "../training/lock.js";

/** How notebook 02 loaded the data set, so that later notebooks load the same images. */
export type PreparedData = Partial<DataOptions> &
  Pick<DataOptions, "data" | "seed" | "validationShare" | "dropDuplicates" | "dropLeaked"> & {
    /** What notebook 02 set of the training, for the notebooks that follow; null is the preset's. No option of `loadDataset`. */
    settings?: { preset: PresetText; imageSize: number | null; horizontalFlip: number | null };
  };

const PREPARED = path.join("data", "prepared.json");
const LATEST = path.join("runs", "latest.json");

/**
 * Keeps how a data set was loaded, in `data/prepared.json`, for the notebooks that follow.
 *
 * @example
 * ```ts
 * import { loadDataset, savePreparedData } from "ferkit";
 *
 * const options = { data: "data/pets", seed: 0, validationShare: 0.2, dropDuplicates: true, dropLeaked: true };
 * await loadDataset({ ...options, imageSize: 48 }); // throws if it cannot be loaded so
 * await savePreparedData(options);
 * ```
 */
export async function savePreparedData(prepared: PreparedData): Promise<void> {
  await writeFileAtomically(PREPARED, prettyJson(prepared));
}

/**
 * Returns how an earlier notebook loaded the data set.
 *
 * @throws InputError that names the notebook to run, if none has prepared the data.
 * @example
 * ```ts
 * import { loadDataset, loadPreparedData } from "ferkit";
 *
 * const dataset = await loadDataset({ ...(await loadPreparedData()), imageSize: 96 });
 * console.log(dataset.name, dataset.train.numImages);
 * ```
 */
export async function loadPreparedData(): Promise<PreparedData> {
  return (await readState(PREPARED, "02-preprocessing")) as PreparedData;
}

/**
 * Returns the folder of a run, below `runs`. Its name depends on everything that determines the run: the same configuration and
 * images find their run again, and others get their own folder.
 *
 * @param preset - The name's first part.
 * @param options - `data`: what the data set was loaded from; `fresh`: remove the run that is in the folder.
 * @throws InputError when another process trains the run that is to be removed.
 * @example
 * ```ts
 * import { loadDataset, prepareRunFolder, trainConfig } from "ferkit";
 *
 * const data = "data/pets";
 * const config = trainConfig("tutorial");
 * const dataset = await loadDataset({ data, imageSize: config.imageSize });
 * console.log(await prepareRunFolder("tutorial", config, dataset, { data, fresh: false })); // runs/tutorial-…
 * ```
 */
export async function prepareRunFolder(
  preset: string,
  config: TrainConfig,
  dataset: Dataset,
  options: { data: string; fresh: boolean },
): Promise<string> {
  checkDataset(dataset);
  checkKind("options", "{ data, fresh }", options, ["data", "fresh"]);
  const { data, fresh } = options;
  const dataDigest = listDigest(await listImages(dataset));
  const unlimited = { ...config, maxMinutes: undefined }; // another time limit resumes the same run
  const identity = JSON.stringify([unlimited, dataset.classNames, data, dataDigest]);
  const runDir = path.join(
    "runs",
    `${preset}-${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`,
  );
  if (fresh) {
    const lock = lockRun(runDir); // another process may train it
    await rm(runDir, { recursive: true, force: true });
    lock.release();
  }
  return runDir;
}

/**
 * Keeps the folder of a run, in `runs/latest.json`, for the notebooks that follow.
 *
 * @example
 * ```ts
 * import { saveLatestRun } from "ferkit";
 *
 * await saveLatestRun("runs/pets");
 * ```
 */
export async function saveLatestRun(runDir: string): Promise<void> {
  await writeFileAtomically(LATEST, `${JSON.stringify({ runDir: checkPath("runDir", runDir) })}\n`);
}

/**
 * Returns the folder of the run that an earlier notebook trained.
 *
 * @throws InputError that names the notebook to run, if none has trained.
 * @example
 * ```ts
 * import { bestModelDir, loadClassifier, loadLatestRun } from "ferkit";
 *
 * const classifier = await loadClassifier(bestModelDir(await loadLatestRun()));
 * console.log(classifier.config.classNames);
 * classifier.dispose();
 * ```
 */
export async function loadLatestRun(): Promise<string> {
  return ((await readState(LATEST, "04-training", ["02-preprocessing"])) as { runDir: string }).runDir;
}

/** @param before - Notebooks that `notebook` needs, in a clone where nothing has run. */
async function readState(file: string, notebook: string, before: string[] = []): Promise<unknown> {
  const inOrder = [...before, notebook];
  const expected = `the output of notebook ${notebook}`;
  const fix = `Run ${inOrder.map((name) => `notebooks/${name}.ipynb`).join(" and ")} first, or \`npm start -- --notebooks ${inOrder.map((name) => name.slice(0, 2)).join(",")}\`.`;
  const state = await readJsonFile(file, { expected, fix });
  if (state === undefined) throw new InputError({ expected, where: file, found: "no such file", fix });
  return state;
}
