import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InputError } from "./errors.js";
import { writeError } from "./files.js";
import { PartialDownload } from "./partial-download.js";
import type { OnProgress } from "./progress.js";

export interface DownloadOptions {
  /** Hexadecimal; the file is refused when it has another. */
  sha256?: string;
  /** What to do without the network, as a whole sentence. */
  instead: string;
  onProgress?: OnProgress;
  /** Tries before giving up; the wait between them doubles. */
  numTries?: number;
  /** First wait, in milliseconds. */
  waitMs?: number;
}

/** "Request timeout" and "too many requests": unlike other errors of the 4xx class, worth another try. */
const TEMPORARY = new Set([408, 429]);

/**
 * Downloads a file, whole or not at all; one that was interrupted goes on where it stopped, if the server can and still has the
 * same version of it. Processes that download the same file do not disturb each other.
 *
 * @throws InputError when the server cannot be reached or has no such file, or the file's digest is another.
 */
export async function downloadFile(url: string, file: string, options: DownloadOptions): Promise<void> {
  const { default: retry, AbortError } = await import("p-retry");
  let partial: PartialDownload | null = null;
  try {
    const claimed = await PartialDownload.claim(file);
    partial = claimed;
    const retries = (options.numTries ?? 4) - 1;
    await retry(() => attempt(url, claimed, options, (message) => new AbortError(message)), {
      retries,
      minTimeout: options.waitMs ?? 1000,
    });
  } catch (error) {
    await partial?.release();
    const named = writeError(file, error);
    if (named instanceof InputError) throw named;
    throw new InputError({ expected: "to download", where: url, found: reason(error), fix: options.instead });
  }
  await checkDigest(url, partial, options);
  await partial.finish();
}

async function attempt(
  url: string,
  partial: PartialDownload,
  { onProgress }: DownloadOptions,
  final: (message: string) => Error,
): Promise<void> {
  const begun = await partial.begun();
  const start = begun?.length ?? 0;
  const response = await fetch(url, {
    headers: {
      "accept-encoding": "identity",
      ...(begun && { range: `bytes=${start}-`, "if-range": begun.version }),
    },
  });
  const range = response.headers.get("content-range");
  if (response.status === 416 && range === `bytes */${start}`) return; // all of it was there
  const resumes = response.status === 206;
  const version = versionOf(response.headers);
  const fits = range?.startsWith(`bytes ${start}-`) && [begun?.version, ""].includes(version);
  if (response.status === 416 || (resumes && !fits)) {
    await partial.discard();
    throw new Error("another part, or of another file, than was asked for");
  }
  if (response.status >= 400 && response.status < 500 && !TEMPORARY.has(response.status))
    throw final(`status ${response.status} ${response.statusText}`);
  if (!response.ok || !response.body) throw new Error(`status ${response.status} ${response.statusText}`);
  if (!resumes) await partial.begin(version);
  const total = Number(response.headers.get("content-length") ?? 0) + (resumes ? start : 0);
  let done = resumes ? start : 0;
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      done += chunk.length;
      onProgress?.({ stage: "download", done, total, unit: "bytes" });
      yield chunk;
    }
  };
  await pipeline(Readable.fromWeb(response.body), count, createWriteStream(partial.bytes, { flags: "a" }));
  if (total > 0 && done < total) throw new Error(`${done} of ${total} bytes`);
}

/** What `If-Range` takes (RFC 9110, 13.1.5): an entity tag unless it is a weak one, else a date; empty where neither is told. */
function versionOf(headers: Headers): string {
  const tag = headers.get("etag") ?? "";
  return tag.startsWith('"') ? tag : (headers.get("last-modified") ?? "");
}

async function checkDigest(
  url: string,
  partial: PartialDownload,
  { sha256, instead }: DownloadOptions,
): Promise<void> {
  if (!sha256) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(partial.bytes), hash);
  const found = hash.digest("hex");
  if (found === sha256.toLowerCase()) return;
  await partial.discard();
  throw new InputError({ expected: `a file of SHA-256 ${sha256}`, where: url, found: found, fix: instead });
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
