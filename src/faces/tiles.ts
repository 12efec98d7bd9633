// The detector sees a square of a fixed size, so faces that are small in a photograph are looked for in parts of it too.
import type { Box } from "./box.js";

/** Side of the square that the detector sees, in pixels. */
export const TILE_SIDE = 512;

/**
 * Longer side of the copy that is looked at in parts, in pixels: two tiles, which share the quarter of a tile that holds any
 * face too small for the copy of one tile.
 */
const LONGER_SIDE = 2 * TILE_SIDE - TILE_SIDE / 4;

/** A copy of a photograph, with the tiles that cover it. */
export interface TiledCopy {
  width: number;
  height: number;
  /** At most `TILE_SIDE` wide and high, in pixels of the copy. */
  tiles: Box[];
}

/** The whole in one tile, and where the photograph is larger, a copy in up to four that overlap. */
export function tiledCopies(width: number, height: number): TiledCopy[] {
  const longer = Math.max(width, height);
  const sides = longer > TILE_SIDE ? [TILE_SIDE, Math.min(longer, LONGER_SIDE)] : [TILE_SIDE];
  return sides.map((side) => {
    const [copyWidth, copyHeight] = [width, height].map((length) =>
      Math.max(1, Math.round((length * side) / longer)),
    );
    const tiles = starts(copyHeight).flatMap((top) =>
      starts(copyWidth).map((left) => ({
        left,
        top,
        width: Math.min(TILE_SIDE, copyWidth),
        height: Math.min(TILE_SIDE, copyHeight),
      })),
    );
    return { width: copyWidth, height: copyHeight, tiles };
  });
}

/** Nearer than this to a tile's edge, in pixels, a box counts as cut off by it. */
const CUT = 3;

/**
 * Whether a tile's edge cuts a face off where the copy goes on; another tile has all of it.
 *
 * @param box - Within the tile.
 */
export function isCutOff(box: Box, tile: Box, { width, height }: TiledCopy): boolean {
  return (
    (tile.left > 0 && box.left < CUT) ||
    (tile.top > 0 && box.top < CUT) ||
    (tile.left + tile.width < width && box.left + box.width > tile.width - CUT) ||
    (tile.top + tile.height < height && box.top + box.height > tile.height - CUT)
  );
}

function starts(length: number): number[] {
  return length > TILE_SIDE ? [0, length - TILE_SIDE] : [0];
}
