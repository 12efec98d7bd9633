// Unpacks zip archives.
import { isUtf8 } from "node:buffer";
import { createWriteStream } from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import type { Entry, getFileNameLowLevel } from "yauzl";
import { makeFolder } from "../../files.js";
import {
  type Allowance,
  type ArchiveNotes,
  EntryNames,
  isOutside,
  type Link,
  makeLinks,
  outside,
  type SkippedEntry,
  targetOf,
} from "./archive-entries.js";
import { REASONS } from "./left-out.js";

export async function unpackZip(file: string, dir: string, allowance: Allowance): Promise<ArchiveNotes> {
  const { openPromise, getFileNameLowLevel: decode, validateFileName } = await import("yauzl");
  const zip = await openPromise(file, { decodeStrings: false });
  zip.on("error", () => {}); // what is wrong with an entry is thrown by the loop, other errors come too late to matter
  const links: Link[] = [];
  const skipped: SkippedEntry[] = [];
  const names = new EntryNames(skipped);
  let unclear: string | null = null;
  try {
    for await (const entry of zip.eachEntry()) {
      const { uncompressedSize, compressionMethod } = entry;
      const { name: fileName, isGarbled, isGuess } = nameIn(entry, decode);
      const problem = validateFileName(fileName);
      if (problem !== null) throw new Error(problem);
      if (isOutside(fileName)) throw outside(file, fileName);
      allowance.add(fileName, uncompressedSize);
      if (fileName.endsWith("/")) continue;
      if (isGuess) unclear ??= fileName;
      if (isGarbled) {
        skipped.push({ path: fileName, reason: REASONS.notUtf8InArchive });
        continue;
      }
      if (entry.isEncrypted()) throw new Error(`the encrypted entry ${fileName}`);
      if (![STORED, DEFLATED].includes(compressionMethod))
        throw new Error(`the compression method ${compressionMethod} of ${fileName}`);
      // Inflated here, since errors of the package's stream may come when nothing listens any more.
      const raw = await zip.openReadStreamPromise(entry, { decodeFileData: false });
      const decoded = compressionMethod === DEFLATED ? zlib.createInflateRaw() : new PassThrough();
      if (isLink(entry)) {
        if (uncompressedSize > MAX_LINK_BYTES) throw new Error(`the long link ${fileName}`);
        const chunks: Buffer[] = [];
        await pipeline(raw, decoded, verified(entry, fileName), async (parts: AsyncIterable<Buffer>) => {
          for await (const part of parts) chunks.push(part);
        });
        const target = Buffer.concat(chunks);
        if (isUtf8(target)) links.push({ path: fileName, target: targetOf(fileName, target.toString()) });
        else skipped.push({ path: fileName, reason: REASONS.notUtf8InArchive });
        continue;
      }
      names.add(fileName);
      const onDisk = path.join(dir, fileName);
      makeFolder(path.dirname(onDisk));
      await pipeline(raw, decoded, verified(entry, fileName), createWriteStream(onDisk, { mode: 0o644 }));
    }
  } finally {
    zip.close();
  }
  const guess = `Names in ${path.basename(file)} are not UTF-8 and do not say what they are, so they are read in code page 437, as ${unclear}. If they look wrong, unpack it in their encoding (unzip -O GBK) and choose the folder.`;
  return {
    skipped: [...skipped, ...(await makeLinks(dir, links))],
    guesses: unclear === null ? [] : [guess],
  };
}

/** Says that a name is UTF-8 (APPNOTE.TXT, 4.4.4), and the field with another one that is (4.6.9). */
const [UTF8_FLAG, UTF8_FIELD] = [0x800, 0x7075];

/**
 * Reads the name of an entry. Without a word on its encoding it is UTF-8 if its bytes are, as many programs write it, and in code page 437
 * otherwise, which is the format's.
 */
function nameIn(
  { fileNameRaw: bytes, generalPurposeBitFlag: flags, extraFields }: Entry,
  decode: typeof getFileNameLowLevel,
): { name: string; isGarbled: boolean; isGuess: boolean } {
  const isMarked = (flags & UTF8_FLAG) !== 0 || isUtf8(bytes);
  const name = decode(isMarked ? flags | UTF8_FLAG : flags, bytes, extraFields, false);
  const fields = extraFields.flatMap(({ id, data }) => (id === UTF8_FIELD ? data.subarray(5) : []));
  const isOwn = [bytes, ...fields].some((source) => isUtf8(source) && source.includes("\ufffd"));
  return {
    name,
    isGarbled: name.includes("\ufffd") && !isOwn, // it has stand-ins for bytes that are no text
    isGuess: !isMarked && name === decode(0, bytes, [], false),
  };
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
