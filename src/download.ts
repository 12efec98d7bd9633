import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InputError } from "./errors.js";
import { replaceFile, writeError } from "./files.js";
import type { OnProgress } from "./progress.js";

export interface DownloadOptions {
  /** Expected digest, hexadecimal; a file with another digest is refused. */
  sha256?: string;
  /** What to do without the network, as a whole sentence. */
  instead: string;
  onProgress?: OnProgress;
  /** Tries before giving up. The wait between them doubles. */
  numTries?: number;
  /** First wait, in milliseconds. */
  waitMs?: number;
}

/** A download so far. */
interface PartialFile {
  /** Temporary file that the bytes are appended to. */
  file: string;
  /** The server's name for the version of the file; empty if nothing was received or the server names none. */
  version: string;
}

/** "Request timeout" and "too many requests": unlike the other 4xx errors, these are worth another try. */
const TEMPORARY = new Set([408, 429]);

/**
 * Downloads a file as a whole or not at all. After a broken connection it resumes, if the server supports that and still has
 * the same version of the file. Processes that download the same file at the same time do not disturb each other.
 *
 * @throws InputError when the server cannot be reached or has no such file, or the digest is wrong.
 */
export async function downloadFile(url: string, file: string, options: DownloadOptions): Promise<void> {
  const { instead, onProgress, sha256, numTries = 4, waitMs = 1000 } = options;
  const { default: retry, AbortError } = await import("p-retry");
  await replaceFile(file, async (temporary) => {
    const partial: PartialFile = { file: temporary, version: "" };
    const abort = (message: string) => new AbortError(message);
    try {
      await retry(() => attempt(url, partial, abort, onProgress), {
        retries: numTries - 1,
        minTimeout: waitMs,
      });
    } catch (error) {
      const named = writeError(file, error);
      if (named instanceof InputError) throw named;
      throw new InputError({ expected: "to download", where: url, found: reason(error), fix: instead });
    }
    const found = sha256 && (await digestOf(temporary));
    if (found && found !== sha256.toLowerCase())
      throw new InputError({ expected: `a file of SHA-256 ${sha256}`, where: url, found, fix: instead });
    return { isKept: true, result: undefined };
  });
}

/** @param abort - Makes an error after which there is no other try. */
async function attempt(
  url: string,
  partial: PartialFile,
  abort: (message: string) => Error,
  onProgress?: OnProgress,
): Promise<void> {
  const { file, version } = partial;
  const start = version ? ((await stat(file).catch(() => null))?.size ?? 0) : 0;
  const response = await fetch(url, {
    headers: {
      "accept-encoding": "identity",
      ...(start > 0 && { range: `bytes=${start}-`, "if-range": version }),
    },
  });
  const { status, statusText, headers, body } = response;
  const range = headers.get("content-range");
  if (start > 0 && status === 416 && range === `bytes */${start}`) return; // nothing is missing
  const isPart = status === 206;
  const isExpected = range?.startsWith(`bytes ${start}-`) && [version, ""].includes(versionOf(headers));
  if (status === 416 || (isPart && !isExpected)) {
    partial.version = "";
    throw new Error("another part or version of the file than was requested");
  }
  if (status >= 400 && status < 500 && !TEMPORARY.has(status)) throw abort(`status ${status} ${statusText}`);
  if (!response.ok || !body) throw new Error(`status ${status} ${statusText}`);
  const length = Number(headers.get("content-length") ?? 0);
  let done = isPart ? start : 0;
  const total = length > 0 ? done + length : 0;
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      done += chunk.length;
      onProgress?.({ stage: "download", done, total, unit: "bytes" });
      yield chunk;
    }
  };
  const target = createWriteStream(file, { flags: isPart ? "a" : "w" });
  partial.version = versionOf(headers) || (isPart ? version : "");
  await pipeline(Readable.fromWeb(body), count, target);
  if (done < total) throw new Error(`${done} of ${total} bytes`);
}

/** Returns what `If-Range` takes (RFC 9110, 13.1.5): a strong entity tag, otherwise a date; empty if there is neither. */
function versionOf(headers: Headers): string {
  const tag = headers.get("etag") ?? "";
  return tag.startsWith('"') ? tag : (headers.get("last-modified") ?? "");
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
