// What an image file's header says, without its pixels.
import type { Metadata } from "sharp";
import { readTiff, YCBCR } from "./tiff.js";

/** How a file stores its image: what the audit compares between classes. */
export interface FileTraits {
  /** `jpeg`, `png`, `webp`, `gif`, `tiff`, `heif`, … */
  format: string;
  /** `grey`, `rgb`, `palette`, `cmyk` or another colour space. */
  colours: string;
  /** Numbers that pixels are stored as: `8-bit`, `16-bit`, `signed 16-bit`, `32-bit`, `signed 32-bit`, `float`, … */
  numbers: string;
  hasAlpha: boolean;
  /** Whether there is another channel that is neither colour nor alpha, as infrared in a TIFF: it is not used. */
  hasOther?: true;
  /** Whether an alpha channel hides nothing; absent if it does, or if there is none. */
  isOpaque?: true;
  hasExif: boolean;
  hasProfile: boolean;
  /** Frames of an animation, or pages; only the first is used. */
  numFrames: number;
  /** Whether numbers above the white level of a data set or model are cut to it. */
  isCut?: true;
  /** Quality of a JPEG, estimated from its quantization table, 1–100; otherwise null. */
  quality: number | null;
}

export interface ImageHeader {
  /** Size as it is stored, before EXIF turns it, in pixels. */
  width: number;
  height: number;
  numChannels: number;
  /** EXIF's orientation, 1–8; 1 = upright. */
  orientation: number;
  /** libvips' names of the number format and colour space. */
  depth: string;
  space: string;
  /** Whether pixels are missing at the end of the file. libvips refuses most such files itself. */
  isCutShort?: true;
  traits: FileTraits;
}

/** Names of libvips' number formats. */
const NUMBERS: Record<string, string> = {
  uchar: "8-bit",
  char: "signed 8-bit",
  ushort: "16-bit",
  short: "signed 16-bit",
  uint: "32-bit",
  int: "signed 32-bit",
  float: "float",
};
const COLOURS: Record<string, string> = {
  "b-w": "grey",
  grey16: "grey",
  srgb: "rgb",
  rgb16: "rgb",
  scrgb: "rgb",
};

/** Bytes from which `contentOf` tells an image. */
export const HEAD_BYTES = 64;

/** Photographs in a format of a camera's maker; most are TIFF files whose first image is a thumbnail. */
export const CAMERA_RAW =
  /\.(3fr|arw|cr2|cr3|dng|erf|iiq|kdc|mef|mos|mrw|nef|nrw|orf|pef|raf|raw|rw2|srw|x3f)$/i;
/** Endings of other formats that are not read. */
export const UNREAD_ENDING =
  /\.(hei[cf]s?|bmp|dib|jp2|j2k|jpx|jxl|p[bgnp]m|ico|psd|tga|dds|exr|hdr|svgz?|eps|fits?|dcm)$/i;
/** First bytes of formats that are not read. */
const UNREAD_HEADS: [format: string, start: RegExp][] = [
  ["HEIC", /^....ftyp(hei[cfmsx]|hev[cmsx]|mif1|msf1)/s],
  ["JPEG 2000", /^(....ftypjp2 |\0{3}.jP {2})/s],
  ["JPEG XL", /^(\0{3}.JXL |\xff\n)/s],
  ["Photoshop", /^8BPS/],
  ["BMP", /^BM....\0\0\0\0/s],
  ["PNM", /^P[1-7]\s\d/],
];

/** Tells by its first bytes whether a file is an image, and whether it is in a format that is read. */
export function contentOf(head: Buffer): "image" | "unread" | "vector" | "other" {
  const hex = head.toString("hex", 0, 8);
  const text = head.toString("latin1", 0, HEAD_BYTES);
  if (/^(ffd8ff|89504e470d0a1a0a|49492a00|4d4d002a|49492b00|4d4d002b)/.test(hex)) return "image";
  if (/^GIF8[79]a/.test(text) || /^RIFF....WEBP/s.test(text)) return "image";
  const [, brands] =
    /^....ftyp(.*)$/s.exec(text.slice(0, Math.min(HEAD_BYTES, head.length < 4 ? 0 : head.readUInt32BE(0)))) ??
    [];
  if (brands !== undefined && /^(....)*avi[fs]/s.test(brands)) return "image";
  if (/^(\ufeff|\xef\xbb\xbf)?\s*<(\?xml|!DOCTYPE svg|!--|svg)|^%(PDF|!PS)/i.test(text)) return "vector";
  return UNREAD_HEADS.some(([, start]) => start.test(text)) ? "unread" : "other";
}

/**
 * Names the format of an image that is not read, by its first bytes or its ending; null if there is none.
 *
 * @param head - Of a file that is no image by `contentOf`, or that a camera wrote.
 * @param name - Of the file.
 */
export function unreadFormat(head: Buffer, name: string): string | null {
  if (CAMERA_RAW.test(name)) return "camera raw";
  const text = head.toString("latin1", 0, HEAD_BYTES);
  const [format] = UNREAD_HEADS.find(([, start]) => start.test(text)) ?? [];
  return format ?? UNREAD_ENDING.exec(name)?.[1].toUpperCase() ?? null;
}

/** @param metadata - Of the file, as sharp reads it. */
export function headerOf(metadata: Metadata, bytes: Buffer): ImageHeader {
  const { width, height, channels, space, depth, format, orientation = 1 } = metadata;
  const tiff = readTiff(bytes);
  const hasOther = metadata.hasAlpha && tiff !== null && !tiff.hasAlpha;
  return {
    width,
    height: metadata.pageHeight ?? height,
    numChannels: channels,
    orientation,
    depth,
    space,
    ...(tiff?.isCutShort && { isCutShort: true as const }),
    traits: {
      format,
      colours: tiff?.isYcbcr ? YCBCR : metadata.isPalette ? "palette" : (COLOURS[space] ?? space),
      numbers: metadata.bitsPerSample === 1 ? "1-bit" : (NUMBERS[depth] ?? depth),
      hasAlpha: metadata.hasAlpha && !hasOther,
      ...(hasOther && { hasOther: true as const }),
      hasExif: metadata.exif !== undefined,
      hasProfile: metadata.icc !== undefined,
      numFrames: metadata.pages ?? 1,
      quality: format === "jpeg" ? jpegQuality(bytes) : null,
    },
  };
}

/** Segments of ITU-T T.81, table B.1. APP1 may hold EXIF with an orientation, APP2 a colour profile. */
const [START_OF_SCAN, APP1, APP2, FILL, QUANTIZATION] = [0xda, 0xe1, 0xe2, 0xff, 0xdb];
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Visits the segments before the first scan; `visit` returns true to stop. Returns whether that scan was reached. */
function forEachSegment(bytes: Buffer, visit: (marker: number, at: number) => boolean): boolean {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return false;
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker === START_OF_SCAN) return true;
    if (visit(marker, at)) return false;
  }
  return false;
}

/**
 * Reads the header of a JPEG that is stored upright, in grey or RGB, in a tenth of the time of sharp's `metadata`.
 *
 * @returns Null for other formats, for an incomplete header, and if EXIF, a profile or a fourth channel may turn the image
 * or change its colours.
 */
export function plainJpegHeader(bytes: Buffer): ImageHeader | null {
  let header: ImageHeader | null = null;
  const isPlain = forEachSegment(bytes, (marker, at) => {
    if (marker === APP1 || marker === APP2 || marker === FILL) return true;
    if (!isFrame(marker)) return false;
    const numChannels = bytes[at + 9];
    if (numChannels !== 1 && numChannels !== 3) return true;
    header = {
      width: bytes.readUInt16BE(at + 7),
      height: bytes.readUInt16BE(at + 5),
      numChannels,
      orientation: 1,
      depth: "uchar",
      space: numChannels === 1 ? "b-w" : "srgb",
      traits: {
        format: "jpeg",
        colours: numChannels === 1 ? "grey" : "rgb",
        numbers: "8-bit",
        hasAlpha: false,
        hasExif: false,
        hasProfile: false,
        numFrames: 1,
        quality: jpegQuality(bytes),
      },
    };
    return false;
  });
  return isPlain ? header : null;
}

/** Zeros at the end of a file from which on a download may have stopped. */
const MIN_ZEROS = 16;

/**
 * Returns whether a JPEG ends in zeros instead of its last pixels, as a download that stopped leaves it: libjpeg decodes zeros as grey
 * without a warning. Zeros behind the end of the image are harmless.
 */
export function endsInZeros(bytes: Buffer): boolean {
  if (bytes.length < MIN_ZEROS || bytes.subarray(-MIN_ZEROS).some((byte) => byte !== 0)) return false;
  let scan = 0;
  const isJpeg = forEachSegment(bytes, (_, at) => {
    scan = at + 2 + bytes.readUInt16BE(at + 2);
    return false;
  });
  // The bytes of the marker that ends an image. The web page loads this module without Buffer.
  return isJpeg && !bytes.includes(Buffer.of(0xff, 0xd9), scan);
}

/** Sum of the 64 luminance values of ITU-T T.81, table K.1, which libjpeg scales by quality. */
const STANDARD_SUM = 3688;

/** Estimates the quality that libjpeg's scale gives a JPEG's first quantization table; null if it has none. */
export function jpegQuality(bytes: Buffer): number | null {
  let quality: number | null = null;
  forEachSegment(bytes, (marker, at) => {
    if (marker !== QUANTIZATION) return false;
    const isWide = bytes[at + 4] >> 4 > 0;
    if (bytes.length < at + 5 + (isWide ? 128 : 64)) return true; // cut short
    let sum = 0;
    for (let i = 0; i < 64; i++) sum += isWide ? bytes.readUInt16BE(at + 5 + 2 * i) : bytes[at + 5 + i];
    const percent = (100 * sum) / STANDARD_SUM;
    quality = Math.min(100, Math.max(1, Math.round(percent <= 100 ? (200 - percent) / 2 : 5000 / percent)));
    return true;
  });
  return quality;
}
