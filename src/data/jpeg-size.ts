/** Segments of ITU-T T.81, table B.1; EXIF, which has a tag for the orientation, is in APP1. */
const [START_OF_SCAN, APP1, FILL] = [0xda, 0xe1, 0xff];
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/**
 * Width and height of a JPEG as its frame header says, in pixels: a tenth of the time of sharp's `metadata`.
 *
 * @returns Null for other formats, for a header that is not whole or not plain, and where EXIF may turn the image.
 */
export function jpegSize(bytes: Buffer): { width: number; height: number } | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  let size: { width: number; height: number } | null = null;
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker === START_OF_SCAN) return size;
    if (marker === APP1 || marker === FILL) return null;
    if (isFrame(marker)) size = { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
  }
  return null;
}
