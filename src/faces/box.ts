/** An upright rectangle in an image, in pixels from the top left. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Shares of overlap above which two boxes are of one face: of both boxes together, or of the smaller one. */
const SAME = { ofUnion: 0.3, ofSmaller: 0.6 };

/** Leaves out each box that overlaps with one of a greater score: the same face, found once more. */
export function withoutRepeats<T extends { box: Box; score: number }>(found: T[]): T[] {
  const kept: T[] = [];
  for (const one of [...found].sort((a, b) => b.score - a.score))
    if (!kept.some(({ box }) => areSame(box, one.box))) kept.push(one);
  return kept;
}

function areSame(a: Box, b: Box): boolean {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return false;
  const shared = width * height;
  const [areaA, areaB] = [a.width * a.height, b.width * b.height];
  return shared > SAME.ofUnion * (areaA + areaB - shared) || shared > SAME.ofSmaller * Math.min(areaA, areaB);
}
