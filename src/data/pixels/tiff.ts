// What the directory of a TIFF says that libvips does not tell. Tags and values are those of TIFF 6.0.

/** Colours of a TIFF that libvips takes for RGB. */
export const YCBCR = "ycbcr";

/** What the directory of the first image says. */
export interface TiffFacts {
  /** Whether the colours are YCbCr that JPEG does not compress. */
  isYcbcr: boolean;
  /** Whether the channel after the colours is alpha. */
  hasAlpha: boolean;
  /** Whether some of the pixels are beyond the end of the file. */
  isCutShort: boolean;
}

const [COMPRESSION, COLOUR_SPACE, EXTRA_SAMPLES] = [259, 262, 338];
const [STRIP_OFFSETS, TILE_OFFSETS, TILE_BYTES] = [273, 324, 325];
const [IN_JPEG, IN_YCBCR, ALPHA] = [[6, 7], 6, [1, 2]];
/** Bytes of the types that these tags have: SHORT, LONG and LONG8. */
const SIZES: Record<number, 2 | 4 | 8> = { 3: 2, 4: 4, 16: 8 };

/** Reads the first directory of a TIFF; null for other formats. */
export function readTiff(bytes: Buffer): TiffFacts | null {
  const mark = bytes.toString("hex", 0, 4);
  const isLittle = mark.startsWith("4949");
  const isBig = mark === "49492b00" || mark === "4d4d002b";
  if (!isBig && mark !== "49492a00" && mark !== "4d4d002a") return null;
  const read = (at: number, length: 2 | 4 | 8): number => {
    if (at + length > bytes.length) return 0;
    if (length === 2) return isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
    if (length === 4) return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
    return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  };
  const directory = isBig ? read(8, 8) : read(4, 4);
  const [first, entryLength, word] = isBig
    ? ([directory + 8, 20, 8] as const)
    : ([directory + 2, 12, 4] as const);
  const entries = new Map<number, number>();
  for (let i = 0; i < read(directory, isBig ? 8 : 2) && first + i * entryLength < bytes.length; i++)
    entries.set(read(first + i * entryLength, 2), first + i * entryLength);
  const valuesOf = (tag: number): number[] => {
    const entry = entries.get(tag);
    const size = SIZES[entry === undefined ? 0 : read(entry + 2, 2)];
    if (entry === undefined || size === undefined) return [];
    const inEntry = entry + 4 + word;
    const count = Math.min(read(entry + 4, word), bytes.length / size);
    const start = count * size <= word ? inEntry : read(inEntry, word);
    return Array.from({ length: count }, (_, i) => read(start + i * size, size));
  };
  const lengths = valuesOf(TILE_BYTES);
  const ends = [
    ...valuesOf(STRIP_OFFSETS).map((offset) => offset + 1), // lengths of strips may be rounded up
    ...valuesOf(TILE_OFFSETS).map((offset, i) => offset + (lengths[i] ?? 1)),
  ];
  return {
    isYcbcr: valuesOf(COLOUR_SPACE)[0] === IN_YCBCR && !IN_JPEG.includes(valuesOf(COMPRESSION)[0] ?? 1),
    hasAlpha: ALPHA.includes(valuesOf(EXTRA_SAMPLES)[0]),
    isCutShort: ends.some((end) => end > bytes.length),
  };
}
