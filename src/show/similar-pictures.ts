// Near-identical images as the chart of pairs takes them.
import path from "node:path";
import { toPngDataUrl } from "../charts/image.js";
import type { PairGroup, PicturePair } from "../charts/pairs-chart.js";
import { at, SIMILAR_KINDS, type SimilarKind, similarPairsOf } from "../data/audit/near-duplicate-report.js";
import type { NearDuplicates, SimilarPair } from "../data/audit/near-duplicates.js";
import type { Dataset } from "../data/dataset.js";

const HEADINGS: Record<SimilarKind, string> = {
  leaked: "One in train, one in validation",
  conflicts: "Different labels",
  mirrored: "Mirrored",
  others: "In the same split, with the same label",
};

/** At most `numEach` pairs of each kind, with their pictures. */
export async function nearDuplicatePictures(
  dataset: Dataset,
  found: NearDuplicates,
  numEach: number,
): Promise<PairGroup[]> {
  const pairs = similarPairsOf(dataset, found, numEach);
  return Promise.all(
    SIMILAR_KINDS.map(async (kind) => ({
      heading: HEADINGS[kind],
      pairs: await Promise.all(pairs[kind].map((pair) => picturesOf(dataset, pair))),
    })),
  );
}

async function picturesOf(dataset: Dataset, { places }: SimilarPair): Promise<PicturePair> {
  const [a, b] = places.map((place) => at(dataset, place));
  const pictureOf = async ({ images, index }: typeof a) => {
    const { pixels, imageSize, numChannels } = images;
    return toPngDataUrl(await pixels.read(Int32Array.of(index)), imageSize, imageSize, numChannels);
  };
  return {
    images: [await pictureOf(a), await pictureOf(b)],
    captions: [dataset.classNames[a.label], dataset.classNames[b.label]],
    detail: [a, b].map((image) => path.basename(image.path)).join(", "),
  };
}
