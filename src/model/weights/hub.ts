import { InputError } from "../../errors.js";
import type { Variant } from "../efficientnet.js";

const HUB = "https://huggingface.co";
/** A renamed repository takes one; more would be a loop. */
const MAX_REDIRECTS = 5;

/**
 * Where timm's weights of a variant are: the SAME-padded `tf_efficientnet` family. For B0–B7, the ones that timm takes by
 * default, of noisy student training (Xie et al. 2020, https://arxiv.org/abs/1911.04252). `FERKIT_HUB_URL` replaces the host.
 */
export function hubUrl(variant: Variant): string {
  const tag = variant.startsWith("lite") ? "in1k" : "ns_jft_in1k";
  const host = (process.env.FERKIT_HUB_URL || HUB).replace(/\/+$/, "");
  return `${host}/timm/tf_efficientnet_${variant}.${tag}/resolve/main/model.safetensors`;
}

/**
 * Asks the hub for a variant's weights: their URL and, where it states one, their SHA-256.
 *
 * @param instead - What to do without the hub, as a whole sentence.
 * @throws InputError when the hub cannot be reached.
 */
export async function hubWeights(
  variant: Variant,
  instead: string,
): Promise<{ url: string; sha256: string | undefined }> {
  const url = hubUrl(variant);
  return { url, sha256: await statedDigest(url, url, MAX_REDIRECTS, instead) };
}

/** The hub states the digest as it redirects to where the file is stored, which knows nothing of it: so redirects are followed one by one. */
async function statedDigest(
  url: string,
  first: string,
  numRedirects: number,
  instead: string,
): Promise<string | undefined> {
  const response = await fetch(url, { method: "HEAD", redirect: "manual" }).catch((error: Error) => {
    const found = error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
    throw new InputError({ expected: "to download", where: first, found, fix: instead });
  });
  const digest = response.headers.get("x-linked-etag")?.match(/^"?([0-9a-f]{64})"?$/)?.[1];
  const location = response.headers.get("location");
  if (digest || !location || numRedirects === 0) return digest;
  return statedDigest(new URL(location, url).href, first, numRedirects - 1, instead);
}
