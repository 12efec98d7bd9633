// Pinned wheels: taken from a local folder or downloaded by pip, checked by digest, unpacked in part.
import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";
import { InputError } from "../../src/errors.js";
import { isRunning } from "./lock.cjs";
import { describeFailure, runCommand } from "./machine.cjs";
import { platformOf } from "./platforms.cjs";
import type { Context, Show } from "./step.js";

const PROGRESS_MS = 500;

export interface Pin {
  package: string;
  version: string;
  /** Name of the file. */
  wheel: string;
  sha256: string;
  numBytes: number;
}

/**
 * Returns the path of a pinned wheel after checking its digest: from `FERKIT_WHEELS`, from an earlier set-up that was
 * interrupted, or downloaded. pip downloads it, because it knows the user's package index and proxy.
 */
export async function fetchWheel(context: Context, pin: Pin, show: Show): Promise<string> {
  const local = context.wheelsDir && path.join(context.wheelsDir, pin.wheel);
  if (local && existsSync(local)) {
    await checkDigest(local, pin, "Replace the file, or unset FERKIT_WHEELS to download it.");
    return local;
  }
  const target = path.join(context.cacheDir, "downloads", pin.wheel);
  if (existsSync(target)) return target;
  await makeWhole(target, async (folder) => {
    await downloadWheel(context, pin, folder, show);
    const wheel = path.join(folder, pin.wheel);
    await checkDigest(
      wheel,
      pin,
      "Check which package index pip uses (pip config list), then run this again.",
    );
    return wheel;
  });
  return target;
}

const DAY_MS = 24 * 60 * 60 * 1000;
let numFolders = 0;

/**
 * Makes a file or folder of the cache in a temporary folder beside it and renames it when it is complete. So what exists is
 * whole, whatever was interrupted and however many clones are set up at once.
 *
 * @param make - Gets the temporary folder; returns the path in it that becomes `target`.
 */
export async function makeWhole(target: string, make: (folder: string) => Promise<string>): Promise<void> {
  const parent = path.dirname(target);
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    const [, host, pid] = /^\.tmp-(.*)-(\d+)-\d+$/.exec(name) ?? [];
    if (!pid) continue;
    // A process on another machine that shares the cache cannot be asked; a day is longer than any set-up.
    const folder = path.join(parent, name);
    const ageMs = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    const isAbandoned = host === os.hostname() ? !isRunning(Number(pid)) : ageMs > DAY_MS;
    if (isAbandoned) rmSync(folder, { recursive: true, force: true });
  }
  const temporary = path.join(parent, `.tmp-${os.hostname()}-${process.pid}-${numFolders++}`);
  mkdirSync(temporary);
  try {
    renameSync(await make(temporary), target);
  } catch (error) {
    if (!existsSync(target)) throw error; // otherwise another clone was faster, with the same result
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Removes a wheel that was downloaded; one in the user's own folder stays. */
export function dropWheel({ cacheDir }: Context, { wheel }: Pin): void {
  rmSync(path.join(cacheDir, "downloads", wheel), { force: true });
}

/** @throws InputError "Expected sha256 2b84… at FILE but found 9f86…. FIX" */
async function checkDigest(file: string, { sha256 }: Pin, fix: string): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  const found = hash.digest("hex");
  if (found !== sha256) throw new InputError({ expected: `sha256 ${sha256}`, where: file, found, fix });
}

async function downloadWheel(context: Context, pin: Pin, folder: string, show: Show): Promise<void> {
  // The libraries inside do not depend on Python's version, so one wheel serves all: the platform is named, not detected.
  const args = [
    ...[
      "-m",
      "pip",
      "download",
      "--no-deps",
      "--only-binary=:all:",
      "--no-cache-dir",
      "--progress-bar",
      "off",
    ],
    ...["--python-version", "3.11", "--platform", platformOf(context.platform).wheels],
    ...findLinks(context),
    ...["--dest", folder, `${pin.package}==${pin.version}`],
  ];
  // pip writes to its temporary folder first: beside the target, that is on a disk with room, and its growth can be watched.
  const env = { ...context.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  const timer = setInterval(() => {
    const numBytes = largestFile(folder);
    if (numBytes > 0) show(`download ${megabytes(numBytes)} of ${megabytes(pin.numBytes)}`);
  }, PROGRESS_MS);
  try {
    const { status, output } = await runCommand(context.venvPython, args, { env });
    if (status !== 0)
      throw describeFailure(`the download of ${pin.package} ${pin.version}`, output, context.cacheDir);
  } finally {
    clearInterval(timer);
  }
}

/** Returns pip's arguments for the user's own folder of wheels. */
export function findLinks({ wheelsDir }: Context): string[] {
  return wheelsDir ? ["--find-links", wheelsDir] : [];
}

function largestFile(folder: string): number {
  // pip removes its temporary files while this looks at them.
  const sizes = readdirSync(folder, { recursive: true }).map(
    (name) => statSync(path.join(folder, String(name)), { throwIfNoEntry: false })?.size ?? 0,
  );
  return Math.max(0, ...sizes);
}

/** Members of more bytes are unpacked beside the others. */
const LARGE_BYTES = 5e7;

/**
 * Unpacks members of a wheel.
 *
 * @param targetOf - Gets a member's path; returns where to write it, or null to leave it out.
 * @throws InputError if the wheel has no such member.
 */
export async function unpackWheel(
  wheel: string,
  targetOf: (name: string) => string | null,
  show: Show,
): Promise<void> {
  const zip = await openPromise(wheel);
  let numBytes = 0;
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      numBytes += chunk.length;
      yield chunk;
    }
  };
  const timer = setInterval(() => show(`unpack ${megabytes(numBytes)}`), PROGRESS_MS);
  const large: Promise<void>[] = [];
  let numMembers = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      const target = entry.fileName.endsWith("/") ? null : targetOf(entry.fileName);
      if (target === null) continue;
      numMembers++;
      mkdirSync(path.dirname(target), { recursive: true });
      const written = pipeline(await zip.openReadStreamPromise(entry), count, createWriteStream(target));
      if (entry.uncompressedSize > LARGE_BYTES) large.push(written);
      else await written;
    }
    await Promise.all(large);
  } finally {
    clearInterval(timer);
    zip.close();
  }
  if (numMembers > 0) return;
  const fix = "Remove the file and run this again.";
  throw new InputError({ expected: "the files that set-up needs", where: wheel, found: "none of them", fix });
}

/** Returns "274 MB". */
export function megabytes(numBytes: number): string {
  return `${Math.round(numBytes / 1e6)} MB`;
}
