// Every file format that ferkit reads by itself, with small files to begin from.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { readImageList, writeImageList } from "../../src/data/image-list.js";
import { jpegQuality, plainJpegHeader } from "../../src/data/pixels/header.js";
import { readPackedFile, writePackedFile } from "../../src/data/pixels/packed-file.js";
import { readVotes } from "../../src/data/sources/fer2013.js";
import { unpackArchive } from "../../src/data/sources/packed/archive.js";
import { isPixelTable } from "../../src/data/sources/packed/pixel-columns.js";
import { readPixelTable } from "../../src/data/sources/packed/pixel-table.js";
import { readSource } from "../../src/data/sources/source.js";
import { parseRows } from "../../src/data/sources/tables/csv.js";
import { parameterSpecs } from "../../src/model/parameters.js";
import { loadParameters, saveModel } from "../../src/model/weights/model-folder.js";
import { readSafetensors } from "../../src/model/weights/safetensors.js";
import { readStateDict } from "../../src/model/weights/state-dict.js";
import { writeTensors } from "../../src/model/weights/tensor-file.js";
import { loadCheckpoint } from "../../src/training/checkpoint.js";
import { loadRuns } from "../../src/training/runs.js";
import { sampleOf, TRAITS, tarOf, zipOf } from "../data/fixtures.js";
import { randomNetwork } from "../model/fixtures.js";
import { safetensorsBytes, timmTensors } from "../model/weights/weight-files.js";
import { projectDir } from "../workspace.js";

export interface Target {
  /** Makes the first inputs; `dir` is the target's own folder, where it may put other files. */
  seeds(dir: string): Promise<Buffer[]> | Buffer[];
  parse(bytes: Buffer, dir: string): unknown;
}

const text = (...lines: string[]) => Buffer.from(`${lines.join("\n")}\n`);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

const TENSORS = new Map([
  ["conv_stem.weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  ["bn1.bias", { shape: [2], data: Float32Array.of(0.5, -0.5) }],
]);
const NETWORK = "lite0";
const numbersIn = (shape: number[]) => shape.reduce((product, dimension) => product * dimension, 1);
const NUMBERS = Buffer.alloc(
  2 * parameterSpecs(NETWORK, 2).reduce((total, { shape }) => total + numbersIn(shape), 0),
  Buffer.from([0, 0x3c]), // 1 in float16
);
const safetensors: Target = {
  seeds: () => [
    safetensorsBytes(TENSORS),
    safetensorsBytes(new Map(), { "ferkit.names": "[]", architecture: "tf_efficientnet_b0" }),
  ],
  parse: (bytes) => readSafetensors(bytes, "weights.safetensors"),
};

/** The header of a whole network's weights; its numbers, all 1, are added to each input. */
const network: Target = {
  seeds: () => {
    const entries: Record<string, unknown> = {};
    let end = 0;
    for (const [name, { shape }] of timmTensors(NETWORK, 2)) {
      const start = end;
      end += 2 * numbersIn(shape);
      entries[name] = { dtype: "F16", shape, data_offsets: [start, end] };
    }
    return [json(entries)];
  },
  parse(bytes) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    const file = Buffer.concat([length, bytes, NUMBERS]);
    readStateDict(readSafetensors(file, "weights.safetensors").tensors, NETWORK, "weights.safetensors");
  },
};

/** Reads bytes as a file of a folder that has all others. */
const inPlace = (
  file: string,
  seeds: Target["seeds"],
  parse: (dir: string) => unknown,
  encode = (bytes: Buffer): Uint8Array => bytes,
): Target => ({
  seeds,
  parse(bytes, dir) {
    const whole = path.join(dir, file);
    mkdirSync(path.dirname(whole), { recursive: true });
    writeFileSync(whole, encode(bytes));
    return parse(dir);
  },
});

const model = inPlace(
  "model/model.json",
  async (dir) => {
    const network = randomNetwork({ imageSize: 33 });
    const folder = path.join(dir, "model");
    await saveModel(folder, network.config, await network.parameters(), "uint8");
    network.dispose();
    const { modelTopology: _, ...read } = JSON.parse(readFileSync(path.join(folder, "model.json"), "utf8"));
    return [json({ ...read, modelTopology: {} })];
  },
  (dir) => loadParameters(path.join(dir, "model")),
);

const checkpoint = inPlace(
  "run/last/state.json",
  async (dir) => {
    const manifest = await writeTensors(path.join(dir, "run/last"), [...TENSORS]);
    const best = { epoch: 1, accuracy: 0.5, macroF1: 0.5, loss: 1, reached: 1 };
    const progress = { epoch: 1, step: 3, best, numUpdates: { a: 3 }, emaUpdates: 0 };
    const earlier = { epoch: 1, step: 3, bestEpoch: 1, bestAccuracy: 0.5, numUpdates: {}, averageUpdates: 1 };
    return [json({ progress, manifest }), json({ progress: earlier, manifest })];
  },
  (dir) => loadCheckpoint(path.join(dir, "run")),
);

const RECORDED = path.join(projectDir, "experiments/results/two-cores/ferkit-fer2013-96px");
const recorded = (name: string) =>
  inPlace(
    `runs/run/${name}`,
    (dir) => {
      cpSync(RECORDED, path.join(dir, "runs/run"), { recursive: true });
      const whole = readFileSync(path.join(RECORDED, name));
      return name.endsWith("l") ? [Buffer.from(whole.toString().split("\n").slice(-3).join("\n"))] : [whole];
    },
    (dir) => loadRuns(path.join(dir, "runs")),
  );

const images = inPlace(
  "images.jsonl.gz",
  async (dir) => {
    const list = { split: "train", className: "a", digest: "0123456789abcdef" } as const;
    const file = path.join(dir, "seed.gz");
    await writeImageList(file, { options: { seed: 0 }, images: [{ ...list, path: "a/1.png" }, list] }, true);
    return [text('{"options":{"seed":0}}', '["train","a","0123456789abcdef","a/1.png",[0.5,0.5]]')];
  },
  (dir) => readImageList(path.join(dir, "images.jsonl.gz")),
  gzipSync,
);

const jpeg: Target = {
  async seeds() {
    const raw = { width: 9, height: 7, channels: 3 } as const;
    const image = sharp(Buffer.alloc(9 * 7 * 3, 99), { raw });
    const exif = { IFD0: { Copyright: "us" } };
    return [
      await image.clone().jpeg().toBuffer(),
      await image.clone().jpeg({ progressive: true, quality: 20 }).withExif(exif).toBuffer(),
      await image.clone().greyscale().jpeg().toBuffer(),
    ];
  },
  parse(bytes) {
    plainJpegHeader(bytes);
    jpegQuality(bytes);
  },
};

const packed: Target = {
  async seeds(dir) {
    const outcome = {
      digest: Buffer.alloc(32),
      width: 2,
      height: 2,
      traits: TRAITS,
      white: 255,
      numChannels: 1,
    };
    const file = path.join(dir, "seed.bin");
    rmSync(file, { force: true });
    async function* outcomes() {
      yield { ...outcome, numChannels: 1 as const, pixels: Uint8Array.of(1, 2, 3, 4) };
      yield { reason: "cut short", isLasting: true };
    }
    await writePackedFile(file, 2, 2, outcomes());
    return [readFileSync(file)];
  },
  async parse(bytes, dir) {
    const file = path.join(dir, "pixels.bin");
    writeFileSync(file, bytes);
    // Whatever is wrong with a file of the cache, it is made again: an error is enough.
    const samples = ["a/1.png", "b/2.png"].map((name) => sampleOf(name));
    const found = await readPackedFile(file, 2, samples).catch(() => null);
    if (found) await found.pixels.read(Int32Array.from(found.samples, (_, i) => i));
  },
};

/** A data set of four images with a table of labels. */
const dataset = (file: string, ...seeds: Buffer[]) =>
  inPlace(
    `data/${file}`,
    async (dir) => {
      const image = await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
        .png()
        .toBuffer();
      mkdirSync(path.join(dir, "data/images"), { recursive: true });
      for (const name of ["1", "2", "3", "4"])
        writeFileSync(path.join(dir, `data/images/${name}.png`), image);
      return seeds;
    },
    (dir) => readSource({ data: path.join(dir, "data"), seed: 0 }),
  );

const inCache = (dir: string) => {
  process.env.FERKIT_CACHE = path.join(dir, "cache");
  rmSync(process.env.FERKIT_CACHE, { recursive: true, force: true });
};
const pixelTable = inPlace(
  "fer2013.csv",
  () => [
    text("emotion,pixels,Usage", "0,1 2 3 4,Training", "3,9 8 7 300,PublicTest"),
    text("label;pixel0;pixel1", "a;1;2"),
  ],
  async (dir) => {
    inCache(dir);
    const file = path.join(dir, "fer2013.csv");
    if (await isPixelTable(file)) await readPixelTable(file);
  },
);
const votes = inPlace(
  "fer2013new.csv",
  () => [
    text(
      "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF",
      "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0",
    ),
  ],
  (dir) => readVotes(path.join(dir, "fer2013new.csv")),
);

const FILES = { "a/1.png": Buffer.from("one"), "b/2.png": Buffer.from("two") };
const LINKS = {
  ...FILES,
  "c/3.png": { target: "../a/1.png" },
  "c/4.png": { target: "a/1.png", isHard: true },
};
const archive = (ending: string, pack: typeof tarOf, encode?: (bytes: Buffer) => Uint8Array) =>
  inPlace(
    `archive.${ending}`,
    () => [pack(FILES), pack(LINKS)],
    (dir) => {
      inCache(dir);
      return unpackArchive(path.join(dir, `archive.${ending}`));
    },
    encode,
  );

export const TARGETS: Readonly<Record<string, Target>> = {
  safetensors,
  network,
  model,
  checkpoint,
  config: recorded("config.json"),
  metrics: recorded("metrics.jsonl"),
  environment: recorded("environment.json"),
  images,
  jpeg,
  packed,
  rows: {
    seeds: () => [text("a,b", '"x, y","say ""hi"""', "1,2"), text("a b", "c d"), text("p;q", "1;2")],
    parse: (bytes) => parseRows(bytes.toString()),
  },
  csv: dataset(
    "labels.csv",
    text("file,label", "images/1.png,a", "images/2.png,b"),
    text("1.png a", "2.png b"),
  ),
  jsonl: dataset(
    "metadata.jsonl",
    text('{"file_name":"images/1.png","label":"a"}', '{"file_name":"2.png","label":1}'),
  ),
  pixelTable,
  votes,
  tar: archive("tar", tarOf),
  tgz: archive("tar.gz", tarOf, gzipSync),
  zip: archive("zip", zipOf),
};
