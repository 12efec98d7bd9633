import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DiskError, InputError } from "./errors.js";
import { makeFolder, reachCache, replaceFile, writeError } from "./files.js";
import type { OnProgress } from "./progress.js";

export interface DownloadOptions {
  /** Expected digest, hexadecimal; a file with another digest is refused. */
  sha256?: string;
  /** Header in which the server, or one that redirects to it, states the digest. */
  digestHeader?: string;
  /** Reads the downloaded file and throws if it is damaged. It is called if no digest is known. */
  check?: (file: string) => Promise<unknown>;
  /** What to do without the network, as a whole sentence. */
  instead: string;
  onProgress?: OnProgress;
  /** Tries before giving up. The wait between them doubles. */
  numTries?: number;
  /** First wait, in milliseconds. */
  waitMs?: number;
  /** Longest silence of the server, in milliseconds. */
  stallMs?: number;
}

/** A download so far. */
interface PartialFile {
  /** Temporary file that the bytes are appended to. */
  file: string;
  /** The server's name for the version of the file; empty if nothing was received or the server names none. */
  version: string;
  /** The digest that a server stated. */
  digest?: string;
}

/** A status that may pass, and how long the server asks to wait. */
class BusyError extends Error {
  constructor(
    message: string,
    readonly waitMs: number,
  ) {
    super(message);
  }
}

/** "Request timeout" and "too many requests": unlike the other 4xx errors, these are worth another try. */
const TEMPORARY = new Set([408, 429]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** A renamed repository takes one redirect, and its store another; many would be a loop. */
const MAX_REDIRECTS = 5;
/** If a server asks for a longer wait, the user should know. */
const MAX_WAIT_MS = 60_000;
const STALL_MS = 60_000;

/**
 * Downloads a file as a whole or not at all, unless it is there. After a broken connection it resumes, if the server supports
 * that and still has the same version of the file. If several processes need the same file, one downloads it for all.
 *
 * @throws InputError when the server cannot be reached or has no such file, the file is damaged, or `FERKIT_OFFLINE` is set.
 */
export async function downloadFile(url: string, file: string, options: DownloadOptions): Promise<void> {
  await reachCache();
  if (await isThere(file)) return;
  const { instead } = options;
  if (!["", "0", undefined].includes(process.env.FERKIT_OFFLINE))
    throw new InputError({
      expected: "a file that is in the cache, since ferkit is offline,",
      where: file,
      found: "none",
      fix: instead,
    });
  await whileLocked(file, async () => {
    if (!(await isThere(file))) await replaceFile(file, (temporary) => downloadInto(temporary, url, options));
  });
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}

async function downloadInto(temporary: string, url: string, options: DownloadOptions) {
  const { instead, check, numTries = 4, waitMs = 1000 } = options;
  const { default: retry, AbortError } = await import("p-retry");
  const refuse = (expected: string, found: string) =>
    new InputError({ expected, where: url, found, fix: instead });
  const partial: PartialFile = { file: temporary, version: "" };
  try {
    await retry(() => attempt(url, partial, (message) => new AbortError(message), options), {
      retries: numTries - 1,
      minTimeout: waitMs,
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (error instanceof BusyError && retriesLeft > 0) await sleep(error.waitMs);
      },
    });
  } catch (error) {
    const named = writeError(temporary, error);
    throw named instanceof InputError ? named : refuse("to download", reason(error));
  }
  const sha256 = (options.sha256 ?? partial.digest)?.toLowerCase();
  const found = sha256 && (await digestOf(temporary));
  if (found !== sha256) throw refuse(`a file of SHA-256 ${sha256}`, `${found}`);
  if (sha256 === undefined)
    await check?.(temporary).catch((error: Error) => {
      if (error instanceof DiskError) throw error;
      throw refuse("a complete file", error instanceof InputError ? error.problem.found : error.message);
    });
  return { isKept: true, result: undefined };
}

type Abort = (message: string) => Error;

/** @param abort - Makes an error after which there is no other try. */
async function attempt(
  url: string,
  partial: PartialFile,
  abort: Abort,
  { onProgress, digestHeader = "x-sha256", stallMs = STALL_MS }: DownloadOptions,
): Promise<void> {
  const { file, version } = partial;
  const start = version ? ((await stat(file).catch(() => null))?.size ?? 0) : 0;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`nothing for ${stallMs / 1000} seconds`)), stallMs);
  try {
    const headers = {
      "accept-encoding": "identity",
      ...(start > 0 && { range: `bytes=${start}-`, "if-range": version }),
    };
    const stated: string[] = [];
    const response = await request(url, { headers, signal: silence.signal }, abort, (answer) => {
      timer.refresh();
      const [, digest] = /^"?([0-9a-f]{64})"?$/.exec(answer.get(digestHeader) ?? "") ?? [];
      if (digest) stated.push(digest);
    });
    partial.digest = stated[0] ?? partial.digest;
    if (response.status === 416 && response.headers.get("content-range") === `bytes */${start}` && start > 0)
      return; // nothing is missing
    const { isPart, total } = inspect(response, partial, start, abort);
    let done = isPart ? start : 0;
    const count = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        timer.refresh();
        done += chunk.length;
        onProgress?.({ stage: "download", done, total, unit: "bytes" });
        yield chunk;
      }
    };
    const target = createWriteStream(file, { flags: isPart ? "a" : "w" });
    await pipeline(Readable.fromWeb(response.body as NonNullable<typeof response.body>), count, target);
    if (total > 0 && done !== total) {
      if (done > total) partial.version = "";
      throw new Error(`${done} of ${total} bytes`);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Requests a file and follows redirects. */
async function request(
  url: string,
  init: RequestInit,
  abort: Abort,
  onAnswer: (headers: Headers) => void,
): Promise<Response> {
  for (let [at, numRedirects] = [url, 0]; ; numRedirects++) {
    const answer = await fetch(at, { ...init, redirect: "manual" });
    onAnswer(answer.headers);
    const location = answer.headers.get("location");
    if (!REDIRECTS.has(answer.status) || location === null) return answer;
    await answer.body?.cancel();
    if (numRedirects === MAX_REDIRECTS) throw abort(`more than ${MAX_REDIRECTS} redirects`);
    const next = new URL(location, at);
    const isSafe = next.protocol === "https:" || (next.protocol === "http:" && !at.startsWith("https:"));
    if (!isSafe) throw abort(`a redirect to ${next.protocol}//`);
    at = next.href;
  }
}

/**
 * Checks an answer before its body is read.
 *
 * @returns Whether it is the part that was requested, and the file's length in bytes; 0 if the server does not say it.
 */
function inspect(
  { status, statusText, headers, body, ok }: Response,
  partial: PartialFile,
  start: number,
  abort: Abort,
): { isPart: boolean; total: number } {
  const { version } = partial;
  const isPart = status === 206;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  const isSame = start === 0 || [version, ""].includes(versionOf(headers));
  if (status === 416 || (isPart && !(isSame && Number(range?.[1]) === start))) {
    partial.version = "";
    throw new Error("another part or version of the file than was requested");
  }
  if (!ok || !body) {
    const found = `status ${status} ${statusText}`;
    if (status >= 400 && status < 500 && !TEMPORARY.has(status)) throw abort(found);
    const waitMs = retryAfterMs(headers);
    if (waitMs > MAX_WAIT_MS)
      throw abort(`${found}, and a request to wait ${Math.ceil(waitMs / 1000)} seconds`);
    throw new BusyError(found, waitMs);
  }
  // Lengths and ranges of a compressed answer count other bytes than those that arrive here.
  const isPlain = ["identity", null].includes(headers.get("content-encoding"));
  partial.version = isPlain ? versionOf(headers) || (isPart ? version : "") : "";
  const length = Number(headers.get("content-length") ?? 0);
  const total = isPart ? Number(range?.[2]) || (length > 0 ? start + length : 0) : length;
  return { isPart, total: isPlain ? total : 0 };
}

/** Returns how long the server asks to wait (RFC 9110, 10.2.3): seconds, or a date. */
function retryAfterMs(headers: Headers): number {
  const text = headers.get("retry-after") ?? "";
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Math.max(0, ms || 0);
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

/**
 * Runs something that makes a file while no other process makes it; where the system cannot lock files, at once. The system
 * itself releases the lock of a process that is killed. What such processes left behind is removed.
 */
async function whileLocked(file: string, run: () => Promise<void>): Promise<void> {
  const lock = `${file}.lock`;
  for (let isDone = false; !isDone; ) {
    const handle = await openLock(file, lock);
    try {
      const isLocked = await flock(handle);
      // The process that held the lock has removed its file: others may lock a new one.
      if (isLocked && (await stat(lock).catch(() => null))?.ino !== (await handle.stat()).ino) continue;
      if (isLocked) await removePartsOf(file);
      await run().finally(() => rm(lock, { force: true }).catch(() => {})); // the disk may be read-only by now
      isDone = true;
    } finally {
      await handle.close();
    }
  }
}

async function openLock(file: string, lock: string): Promise<FileHandle> {
  try {
    makeFolder(path.dirname(lock));
    return await open(lock, "a");
  } catch (error) {
    throw writeError(file, error);
  }
}

/** Waits for the lock of a file. The program `flock` locks what it inherits from this process, which keeps the lock. */
function flock({ fd }: FileHandle): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("flock", ["-x", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.on("error", () => resolve(false));
    child.on("close", (status) => resolve(status === 0));
  });
}

async function removePartsOf(file: string): Promise<void> {
  const { dir, base } = path.parse(file);
  for (const name of await readdir(dir))
    if (name.startsWith(base) && /^\.[0-9a-f]{8}\.tmp$/.test(name.slice(base.length)))
      await rm(path.join(dir, name), { force: true });
}
