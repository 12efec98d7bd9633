// What the entries of tar and zip archives have in common: which are refused, how much they may unpack to, and links.
import { constants } from "node:fs";
import { copyFile, link, stat, statfs, symlink } from "node:fs/promises";
import path from "node:path";
import { InputError } from "../../../errors.js";
import { makeFolder } from "../../../files.js";
import { REASONS } from "../left-out.js";

/** An entry of an archive that was not unpacked. */
export interface SkippedEntry {
  path: string;
  reason: string;
}

/** What was noted when an archive was unpacked. */
export interface ArchiveNotes {
  skipped: SkippedEntry[];
  /** Guesses, each a sentence. */
  guesses: string[];
}

/** Returns what a file may unpack to in a folder. */
export async function allowanceFor(file: string, dir: string): Promise<Allowance> {
  const [{ size }, { blocks, bavail, bsize }] = await Promise.all([stat(file), statfs(dir)]);
  const isKnown = blocks > 0; // some disks of user space do not say how large they are
  return new Allowance(file, size, isKnown ? bavail * bsize : Number.POSITIVE_INFINITY);
}

/** Compression makes images and tables a few times smaller; a larger ratio fills a disk from a small file. */
const [MAX_RATIO, MIN_ALLOWED_BYTES] = [200, 2 ** 26];
/** Entries of one archive. */
const MAX_ENTRIES = 5_000_000;

/** Counts what an archive unpacks to, before it is written. */
export class Allowance {
  private numBytes = 0;
  private numEntries = 0;

  constructor(
    private readonly file: string,
    private readonly archiveBytes: number,
    private readonly freeBytes: number,
  ) {}

  /** @throws InputError if an entry of `size` bytes is one too many. */
  add(name: string, size: number): void {
    this.numBytes += size;
    const refuse = (expected: string, found: string, fix: string) =>
      new InputError({ expected, where: this.file, found: `${found} with its entry ${name}`, fix });
    const distrust = "Remove it, since it cannot be trusted; nothing was unpacked.";
    if (++this.numEntries > MAX_ENTRIES) throw refuse(`at most ${MAX_ENTRIES} entries`, "more", distrust);
    if (!(this.numBytes <= Math.max(MIN_ALLOWED_BYTES, MAX_RATIO * this.archiveBytes)))
      throw refuse(`a file that unpacks to at most ${MAX_RATIO} times its size`, "more", distrust);
    if (this.numBytes > this.freeBytes)
      throw refuse(
        `a file that unpacks to the ${this.freeBytes} bytes that are free in the cache`,
        `${this.numBytes} bytes`,
        "Make room, or choose another cache with FERKIT_CACHE; nothing was unpacked.",
      );
  }
}

/** A link of an archive. */
export interface Link {
  path: string;
  /** Relative to the root of the archive. */
  target: string;
}

/** Counts the names of an archive's files that come again. The later one is unpacked over the earlier, as programs for tar do. */
export class EntryNames {
  private readonly seen = new Set<string>();

  /** @param skipped - Gets an entry for each that is replaced. */
  constructor(private readonly skipped: SkippedEntry[]) {}

  add(entryPath: string): void {
    const name = path.posix.normalize(entryPath);
    if (this.seen.has(name)) this.skipped.push({ path: name, reason: REASONS.replaced });
    this.seen.add(name);
  }
}

/** Returns where a symbolic link leads, relative to the root of the archive. */
export function targetOf(linkPath: string, target: string): string {
  return path.posix.isAbsolute(target) ? target : path.posix.join(path.posix.dirname(linkPath), target);
}

/** A longer chain of links cannot be followed on Linux either. */
const MAX_LINK_STEPS = 40;

/** Makes the links of an archive that lead to something in it: hard links to files, symbolic ones to folders. */
export async function makeLinks(dir: string, links: Link[]): Promise<SkippedEntry[]> {
  let left = links.filter(({ target }) => !isOutside(target));
  const skipped = links
    .filter(({ target }) => isOutside(target))
    .map(({ path }) => ({ path, reason: REASONS.outside }));
  for (let step = 0, before = -1; left.length !== before && step < MAX_LINK_STEPS; step++) {
    before = left.length;
    const waiting: Link[] = [];
    for (const one of left) if (!(await makeLink(dir, one))) waiting.push(one); // its target may be another link
    left = waiting;
  }
  return [...skipped, ...left.map(({ path }) => ({ path, reason: REASONS.leadsNowhere }))];
}

/** Errors of a link that leads to nothing, or whose name is taken. */
const LEADS_NOWHERE = ["ENOENT", "ENOTDIR", "ELOOP", "EEXIST", "ENAMETOOLONG"];

/** Some disks have no hard links, or limit how many one file may have. */
async function linkOrCopy(to: string, from: string): Promise<void> {
  await link(to, from).catch((error) => {
    if (!["EPERM", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(error.code)) throw error;
    return copyFile(to, from, constants.COPYFILE_EXCL);
  });
}

async function makeLink(dir: string, { path: linkPath, target }: Link): Promise<boolean> {
  const [from, to] = [path.join(dir, linkPath), path.join(dir, target)];
  try {
    const isFolder = (await stat(to)).isDirectory();
    makeFolder(path.dirname(from));
    if (isFolder) await symlink(path.relative(path.dirname(from), to), from);
    else await linkOrCopy(to, from);
    return true;
  } catch (error) {
    if (LEADS_NOWHERE.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

/** Whether a name was not UTF-8: it has stand-ins for bytes that are no text, so that several files may have it. */
export function isGarbled(name: string): boolean {
  return name.includes("\ufffd");
}

export function isOutside(entryPath: string): boolean {
  return path.isAbsolute(entryPath) || entryPath.split(/[\\/]/).includes("..");
}

export function outside(file: string, entryPath: string): InputError {
  return new InputError({
    expected: "an archive that stays in its folder",
    where: file,
    found: `the entry ${entryPath}`,
    fix: "Remove the archive, since it cannot be trusted; nothing was unpacked.",
  });
}
