// Images decoded once: a file of bytes per data set and image size, in the user's cache.
import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import path from "node:path";
import { cacheDir } from "../cache-dir.js";
import { writeFileAtomically } from "../files.js";
import { type DecodedImages, decodeAll } from "./decode-all.js";
import type { ClassFolders } from "./folder.js";
import type { OnProgress } from "./packed.js";

/** Changes when the same files would give other pixels. */
const FORMAT_VERSION = 1;
/** A file is read in parts, since one read is limited to 2³¹ - 1 bytes. */
const READ_BYTES = 2 ** 30;

/**
 * The decoded images, from the cache where the files are the same as then.
 *
 * @throws InputError when the pixels are more than an array can hold, or the cache cannot be written.
 */
export async function loadDecoded(
  folders: ClassFolders,
  imageSize: number,
  onProgress?: OnProgress,
): Promise<DecodedImages> {
  const files = folders.samples.map(({ path, size, changed }) => [path, size, changed]);
  const identity = JSON.stringify([FORMAT_VERSION, imageSize, path.resolve(folders.root), files]);
  const key = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  const file = path.join(cacheDir(), "pixels", `${key}-${imageSize}.bin`);
  const cached = await readCache(file, imageSize);
  if (cached) return cached;
  const { isLasting, ...decoded } = await decodeAll(folders, imageSize, onProgress);
  if (isLasting) await writeCache(file, decoded);
  return decoded;
}

/** Layout: the header's length (uint32), the header (JSON), the pixels. */
async function writeCache(file: string, { pixels, ...header }: DecodedImages): Promise<void> {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  await writeFileAtomically(file, [length, json, pixels]);
}

/** Null where there is no cache, or one that is not whole, which is removed. */
async function readCache(file: string, imageSize: number): Promise<DecodedImages | null> {
  const handle = await open(file).catch(() => null);
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    const length = await readBytes(handle, 4, 0);
    const headerLength = Buffer.from(length).readUInt32LE();
    const header = JSON.parse(
      Buffer.from(await readBytes(handle, Math.min(headerLength, size), 4)).toString(),
    );
    const pixels = await readBytes(handle, size - 4 - headerLength, 4 + headerLength);
    const { samples, numChannels } = header as DecodedImages;
    if (pixels.length !== samples.length * imageSize * imageSize * numChannels) throw new Error("cut short");
    return { ...header, pixels };
  } catch {
    await rm(file, { force: true });
    return null;
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: Awaited<ReturnType<typeof open>>, length: number, position: number) {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(
      bytes,
      done,
      Math.min(length - done, READ_BYTES),
      position + done,
    );
    if (bytesRead === 0) throw new Error("cut short");
    done += bytesRead;
  }
  return bytes;
}
