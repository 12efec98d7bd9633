// TIFF files with any tags, written by hand. The directory is before the pixels.

/** Width and height. */
export const SIDE = 16;

/**
 * Writes a TIFF from its numbers: grey ones of 32 bits by default.
 *
 * @param tags - Further tags, or other values of those that are written.
 */
export function tiff(
  values: number[],
  format: "unsigned" | "signed" | "float",
  bits = 32,
  { channels = 1, tags = {} as Record<number, number> } = {},
): Buffer {
  const bytes = (values.length * bits) / 8;
  const sampleFormat = { unsigned: 1, signed: 2, float: 3 }[format];
  const all = Object.entries({
    256: SIDE,
    257: SIDE,
    258: bits,
    259: 1,
    262: 1,
    273: 0,
    277: channels,
    278: SIDE,
    279: bytes,
    339: sampleFormat,
    ...tags,
  });
  const start = 14 + 12 * all.length;
  const data = Buffer.alloc(start + bytes);
  data.write("II*\0\b\0\0\0", "latin1");
  data.writeUInt16LE(all.length, 8);
  all.forEach(([tag, value], i) => {
    const at = 10 + 12 * i;
    data.writeUInt16LE(Number(tag), at);
    data.writeUInt16LE(4, at + 2);
    data.writeUInt32LE(1, at + 4);
    data.writeUInt32LE(tag === "273" || tag === "324" ? start : value, at + 8);
  });
  const write = {
    float: (value: number, to: number) => data.writeFloatLE(value, to),
    signed: (value: number, to: number) => data.writeIntLE(value, to, bits / 8),
    unsigned: (value: number, to: number) => data.writeUIntLE(value, to, bits / 8),
  }[format];
  values.forEach((value, i) => {
    write(value, start + (i * bits) / 8);
  });
  return data;
}
