// Unpacks zip archives.
import { isUtf8 } from "node:buffer";
import { createWriteStream } from "node:fs";
import path from "node:path";
import { PassThrough, type Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import type { Entry, getFileNameLowLevel, ZipFile } from "yauzl";
import { makeFolder } from "../../../files.js";
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

export async function unpackZip(file: string, dir: string, allowance: Allowance): Promise<ArchiveNotes> {
  const { openPromise, getFileNameLowLevel: decode, validateFileName } = await import("yauzl");
  const zip = await openPromise(file, { decodeStrings: false });
  zip.on("error", () => {}); // what is wrong with an entry is thrown by the loop, other errors come too late to matter
  const [links, skipped]: [Link[], SkippedEntry[]] = [[], []];
  const names = new EntryNames(skipped);
  let unclear: string | null = null;
  try {
    for await (const entry of zip.eachEntry()) {
      const { name, isGuess } = nameIn(entry, decode);
      const problem = validateFileName(name);
      if (problem !== null) throw new Error(problem);
      if (isOutside(name)) throw outside(file, name);
      allowance.add(name, entry.uncompressedSize);
      if (name.endsWith("/")) {
        if (!isGarbled(name)) makeFolder(path.join(dir, name)); // it may be a class without images
        continue;
      }
      if (isGuess) unclear ??= name;
      const skip = () => skipped.push({ path: name, reason: REASONS.notUtf8InArchive });
      if (isGarbled(name)) skip();
      else if (isLink(entry)) {
        const target = await linkTarget(zip, entry, name);
        if (isUtf8(target)) links.push({ path: name, target: targetOf(name, target.toString()) });
        else skip();
      } else {
        names.add(name);
        const onDisk = path.join(dir, name);
        makeFolder(path.dirname(onDisk));
        await readEntry(zip, entry, name, () => createWriteStream(onDisk, { mode: 0o644 }));
      }
    }
  } finally {
    zip.close();
  }
  const guess = `Names in ${path.basename(file)} are not UTF-8 and do not say what they are, so they are read in code page 437, for example ${unclear}. If they look wrong, unpack it in their encoding (unzip -O GBK) and choose the folder.`;
  return {
    skipped: [...skipped, ...(await makeLinks(dir, links))],
    guesses: unclear === null ? [] : [guess],
  };
}

/** Writes the content of an entry. @param open - Called once it is known that it can be read. */
async function readEntry(zip: ZipFile, entry: Entry, name: string, open: () => Writable): Promise<void> {
  const { compressionMethod } = entry;
  if (entry.isEncrypted()) throw new Error(`the encrypted entry ${name}`);
  if (![STORED, DEFLATED].includes(compressionMethod))
    throw new Error(`the compression method ${compressionMethod} of ${name}`);
  // Inflated here, since errors of the package's stream may come when nothing listens any more.
  const raw = await zip.openReadStreamPromise(entry, { decodeFileData: false });
  const decoded = compressionMethod === DEFLATED ? zlib.createInflateRaw() : new PassThrough();
  await pipeline(raw, decoded, verified(entry, name), open());
}

async function linkTarget(zip: ZipFile, entry: Entry, name: string): Promise<Buffer> {
  if (entry.uncompressedSize > MAX_LINK_BYTES) throw new Error(`the long link ${name}`);
  const parts = new PassThrough();
  const [target] = await Promise.all([buffer(parts), readEntry(zip, entry, name, () => parts)]);
  return target;
}

/** Says that a name is UTF-8 (APPNOTE.TXT, 4.4.4). */
const UTF8_FLAG = 0x800;

/**
 * Reads the name of an entry. Without a word on its encoding it is UTF-8 if its bytes are, as many programs write it, and in code page 437
 * otherwise, which is the format's.
 */
function nameIn(
  { fileNameRaw: bytes, generalPurposeBitFlag: flags, extraFields }: Entry,
  decode: typeof getFileNameLowLevel,
): { name: string; isGuess: boolean } {
  const isMarked = (flags & UTF8_FLAG) !== 0 || isUtf8(bytes);
  const name = decode(isMarked ? flags | UTF8_FLAG : flags, bytes, extraFields, false);
  return { name, isGuess: !isMarked && name === decode(0, bytes, [], false) };
}

/** Longest path of Linux. */
const MAX_LINK_BYTES = 4096;
/** Compression methods of a zip archive (APPNOTE.TXT, 4.4.5). */
const [STORED, DEFLATED] = [0, 8];

/** Passes the bytes of an entry on, and compares their number and CRC-32 with what the archive says. */
function verified({ uncompressedSize, crc32 }: Entry, fileName: string) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let [numBytes, checksum] = [0, 0];
    for await (const chunk of chunks) {
      numBytes += chunk.length;
      checksum = zlib.crc32(chunk, checksum);
      if (numBytes > uncompressedSize) break;
      yield chunk;
    }
    if (numBytes !== uncompressedSize)
      throw new Error(`${fileName} of another length than the ${uncompressedSize} bytes in its header`);
    if (checksum !== crc32) throw new Error(`${fileName} of another CRC-32 than in its header`);
  };
}

/** Reads the Unix mode in the upper half of the attributes. */
function isLink({ externalFileAttributes }: Entry): boolean {
  return ((externalFileAttributes >>> 16) & 0o170000) === 0o120000;
}
