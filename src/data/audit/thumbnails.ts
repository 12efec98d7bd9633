// Small versions of images to compare: how they are made, mirrored and compared by their gradients.

/** Side of a thumbnail, in pixels. */
export const THUMBNAIL_SIZE = 18;

/**
 * Reduces square images to grids of means.
 *
 * @param imageSize - Side of the images, in pixels.
 * @param side - Side of the grids.
 * @returns A function from one image's pixels, uint8 `[imageSize, imageSize, numChannels]`, to float32 `[side, side, numChannels]`.
 */
export function averagePooling(
  imageSize: number,
  numChannels: number,
  side: number,
): (pixels: Uint8Array) => Float32Array {
  const parts = pixelsOfCells(imageSize, side);
  const rowLength = imageSize * numChannels;
  const row = new Float32Array(rowLength);
  return (pixels) => {
    const grid = new Float32Array(side * side * numChannels);
    let to = 0;
    for (const across of parts) {
      row.fill(0);
      for (const { at, weight } of across)
        for (let i = 0, from = at * rowLength; i < rowLength; i++) row[i] += weight * pixels[from + i];
      for (const along of parts) {
        for (const { at, weight } of along)
          for (let c = 0; c < numChannels; c++) grid[to + c] += weight * row[at * numChannels + c];
        to += numChannels;
      }
    }
    return grid;
  };
}

/** Lists the pixels of each part of a line, with their weights, which sum to 1 in a part. */
function pixelsOfCells(imageSize: number, side: number): { at: number; weight: number }[][] {
  const length = imageSize / side;
  return Array.from({ length: side }, (_, part) => {
    const [from, to] = [part * length, (part + 1) * length];
    const pixels: { at: number; weight: number }[] = [];
    for (let at = Math.floor(from); at < Math.min(imageSize, Math.ceil(to)); at++)
      pixels.push({ at, weight: (Math.min(to, at + 1) - Math.max(from, at)) / length });
    return pixels;
  });
}

/** Mirrors a grid of square pixels left to right. */
export function mirror<Grid extends Uint8Array | Float32Array>(
  grid: Grid,
  side: number,
  numChannels: number,
): Grid {
  const copy = grid.slice() as Grid;
  const rowLength = side * numChannels;
  for (let start = 0; start < copy.length; start += rowLength)
    for (let x = 0; x < side; x++)
      for (let c = 0; c < numChannels; c++)
        copy[start + x * numChannels + c] = grid[start + (side - 1 - x) * numChannels + c];
  return copy;
}

/**
 * Correlates the gradients of two thumbnails, that is, the differences between neighbouring parts, which do not depend on
 * brightness.
 *
 * @param a - uint8 `[18, 18, numChannels]`.
 */
export function gradientCorrelation(a: Uint8Array, b: Uint8Array, numChannels: number): number {
  const rowLength = THUMBNAIL_SIZE * numChannels;
  let [squaresA, squaresB, products] = [0, 0, 0];
  for (let row = 0; row < a.length - rowLength; row += rowLength)
    for (let at = row; at < row + rowLength - numChannels; at++) {
      const [right, below] = [at + numChannels, at + rowLength];
      const [acrossA, acrossB] = [a[right] - a[at], b[right] - b[at]];
      const [downA, downB] = [a[below] - a[at], b[below] - b[at]];
      squaresA += acrossA * acrossA + downA * downA;
      squaresB += acrossB * acrossB + downB * downB;
      products += acrossA * acrossB + downA * downB;
    }
  return squaresA * squaresB > 0 ? products / Math.sqrt(squaresA * squaresB) : 0;
}

/** Root mean square of a thumbnail's gradients, in levels of 0–255; an image with less shows nothing. */
const MIN_CONTRAST = 1;
/** Returns whether a thumbnail shows anything: false if it has one colour. */
export function hasContrast(thumbnail: Uint8Array, numChannels: number): boolean {
  const rowLength = THUMBNAIL_SIZE * numChannels;
  let squares = 0;
  for (let row = 0; row < thumbnail.length - rowLength; row += rowLength)
    for (let at = row; at < row + rowLength - numChannels; at++)
      squares +=
        (thumbnail[at + numChannels] - thumbnail[at]) ** 2 + (thumbnail[at + rowLength] - thumbnail[at]) ** 2;
  const count = 2 * (THUMBNAIL_SIZE - 1) ** 2 * numChannels;
  return Math.sqrt(squares / count) >= MIN_CONTRAST;
}
