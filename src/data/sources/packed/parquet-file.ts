// Opens Parquet files, in each of the usual compressions.
import type { FileHandle } from "node:fs/promises";
import zlib from "node:zlib";
import type { FileMetaData } from "hyparquet";
import { InputError } from "../../../errors.js";

/** An open Parquet file. */
export interface ParquetFile {
  metadata: FileMetaData;
  numRows: number;
  /** Reads rows, of some columns or of all; texts are bytes. */
  rows(start: number, end: number, columns?: string[]): Promise<Record<string, unknown>[]>;
}

/** @param file - Its path, for errors. */
export async function openParquet(handle: FileHandle, file: string): Promise<ParquetFile> {
  const { parquetMetadataAsync, parquetReadObjects, snappyUncompress } = await import("hyparquet");
  const { size } = await handle.stat();
  const buffer = {
    byteLength: size,
    async slice(start: number, end = size): Promise<ArrayBuffer> {
      const from = Math.max(0, start < 0 ? size + start : start);
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - from));
      await handle.read(bytes, 0, bytes.length, from);
      return bytes.buffer;
    },
  };
  const metadata = await parquetMetadataAsync(buffer);
  const numRows = Number(metadata.num_rows);
  if (!(numRows >= 0 && numRows <= size)) throw new Error(`${numRows} rows in ${size} bytes`); // each has an image
  const compressors = await compressorsWith(snappyUncompress);
  if (numRows > 0) refuseCompressions(metadata, file, compressors);
  const rows = (start: number, end: number, columns?: string[]) =>
    parquetReadObjects({
      file: buffer,
      metadata,
      columns,
      rowStart: start,
      rowEnd: Math.min(numRows, end),
      utf8: false,
      compressors,
    });
  return { metadata, numRows, rows };
}

/** Pages of images hardly shrink; a larger ratio fills the memory from a small file. */
const [MAX_RATIO, MIN_ALLOWED_BYTES] = [200, 2 ** 24];

/** Returns a codec that refuses a page that claims more than it may have, or has another length than it claims. */
function bounded(decompress: (bytes: Uint8Array, length: number) => Uint8Array) {
  return (bytes: Uint8Array, length: number): Uint8Array => {
    if (!(length >= 0 && length <= Math.max(MIN_ALLOWED_BYTES, MAX_RATIO * bytes.length)))
      throw new Error(`a page of ${bytes.length} bytes that unpacks to ${length}`);
    const page = decompress(bytes, length);
    if (page.length !== length) throw new Error(`a page of ${page.length} bytes instead of ${length}`);
    return page;
  };
}

/** Returns the codecs that are read: Node.js' own for gzip and brotli, which are faster and check more. */
async function compressorsWith(snappyUncompress: (bytes: Uint8Array, page: Uint8Array) => unknown) {
  const { decompressZstd, decompressLz4, decompressLz4Raw } = await import("hyparquet-compressors");
  return {
    SNAPPY: bounded((bytes, length) => {
      const page = new Uint8Array(length);
      snappyUncompress(bytes, page);
      return page;
    }),
    GZIP: bounded(
      (bytes, length) => new Uint8Array(zlib.gunzipSync(bytes, { maxOutputLength: length || 1 })),
    ),
    ZSTD: bounded((bytes, length) => decompressZstd(bytes, new Uint8Array(length))),
    BROTLI: bounded(
      (bytes, length) => new Uint8Array(zlib.brotliDecompressSync(bytes, { maxOutputLength: length || 1 })),
    ),
    LZ4: bounded(decompressLz4),
    LZ4_RAW: bounded(decompressLz4Raw),
  };
}

/** @throws InputError for a compression that is not read. */
function refuseCompressions({ row_groups }: FileMetaData, where: string, known: object): void {
  const codecs = row_groups.flatMap(({ columns }) =>
    columns.flatMap(({ meta_data }) => meta_data?.codec ?? []),
  );
  const unknown = codecs.find((codec) => codec !== "UNCOMPRESSED" && !(codec in known));
  if (unknown === undefined) return;
  throw new InputError({
    expected: `a Parquet file with the compression ${Object.keys(known).join(", ")} or none`,
    where,
    found: unknown,
    fix: `Run pyarrow.parquet.write_table(pyarrow.parquet.read_table("FILE"), "FILE", compression="snappy") in Python.`,
  });
}
