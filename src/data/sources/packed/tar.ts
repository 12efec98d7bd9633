// Unpacks tar archives.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import type { ReadEntry } from "tar";
import { REASONS } from "../left-out.js";
import {
  type Allowance,
  type ArchiveNotes,
  EntryNames,
  isGarbled,
  isOutside,
  type Link,
  makeLinks,
  outside,
  type SkippedEntry,
  targetOf,
} from "./archive-entries.js";

/** Bytes to read at a time. */
const READ_BYTES = 2 ** 18;
/** Types of entries that are files. */
const FILES = ["File", "OldFile", "ContiguousFile"];
/** A name in a pax header that was not UTF-8, or was read in two pieces: the package takes the short name of the entry in place of it. */
const GARBLED_FIELD = /^\d+ (link)?path=.*\ufffd/m;

type Entry = Pick<ReadEntry, "path" | "type" | "size" | "mode" | "linkpath">;

/** Writes one file after another: for many small files that takes a fifth of the time of several at once. */
export async function unpackTar(file: string, dir: string, allowance: Allowance): Promise<ArchiveNotes> {
  const { UnpackSync } = await import("tar");
  const [links, skipped]: [Link[], SkippedEntry[]] = [[], []];
  const names = new EntryNames(skipped);
  let isLongNameGarbled = false;
  /** Returns whether an entry is unpacked as it comes. */
  const take = (entry: Entry): boolean => {
    const { path, type, size, linkpath = "" } = entry;
    if (isOutside(path)) throw outside(file, path);
    allowance.add(path, size);
    const [isFolder, isLink] = [type === "Directory", /Link$/.test(type)];
    entry.mode = isFolder ? 0o755 : 0o644; // as other new files, whatever the archive says
    const isUnreadable = isLongNameGarbled || isGarbled(path) || (isLink && isGarbled(linkpath));
    isLongNameGarbled = false;
    if (isFolder) return !isUnreadable;
    if (isUnreadable) skipped.push({ path, reason: REASONS.notUtf8InArchive });
    else if (isLink) links.push({ path, target: type === "Link" ? linkpath : targetOf(path, linkpath) });
    else if (!FILES.includes(type)) skipped.push({ path, reason: REASONS.noFile });
    else {
      names.add(path);
      return true;
    }
    return false;
  };
  let refused: unknown = null;
  const unpack = new UnpackSync({
    cwd: dir,
    strict: true,
    preserveOwner: false,
    filter: (_, entry) => {
      try {
        return refused === null && "type" in entry && take(entry);
      } catch (error) {
        refused = error;
        return false;
      }
    },
  });
  unpack.on("meta", (text) => {
    isLongNameGarbled ||= GARBLED_FIELD.test(text);
  });
  unpack.on("error", (error: unknown) => {
    refused ??= error;
  });
  const write = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      unpack.write(chunk);
      if (refused) throw refused;
    }
    unpack.end();
    if (refused) throw refused;
  };
  await readTar(file, write).catch((error: unknown) => {
    throw refused ?? error; // the package's error is that of a pipeline which was ended
  });
  return { skipped: [...skipped, ...(await makeLinks(dir, links))], guesses: [] };
}

/** Files of an archive that show what it holds: one of webdataset has the files of a sample one after another. */
const MAX_NAMES = 1000;

/** Lists the first files of a tar archive, without unpacking it; those up to its damage if it is damaged. */
export async function firstFilesIn(file: string): Promise<string[]> {
  const { Parser } = await import("tar");
  const names: string[] = [];
  const parser = new Parser({
    onReadEntry: (entry) => {
      if (FILES.includes(entry.type)) names.push(entry.path);
      entry.resume();
    },
  });
  parser.on("error", () => {}); // a damaged archive raises it
  const read = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      parser.write(chunk);
      if (names.length >= MAX_NAMES) return;
    }
  };
  await readTar(file, read).catch(() => {});
  return names.slice(0, MAX_NAMES);
}

/** Gives the chunks of a tar archive to a reader, which may stop before its end. */
async function readTar(file: string, read: (chunks: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
  const isCompressed = await isGzip(file);
  const source = createReadStream(file, { highWaterMark: READ_BYTES });
  await (isCompressed ? pipeline(source, zlib.createGunzip(), read) : pipeline(source, read));
}

/** Reads the first bytes of a file, whatever its name ends in. */
async function isGzip(file: string): Promise<boolean> {
  const opened = await open(file);
  try {
    const { buffer } = await opened.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString("hex") === "1f8b";
  } finally {
    await opened.close();
  }
}
