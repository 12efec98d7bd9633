// Near-identical images as the chart of pairs takes them.
import path from "node:path";
import { toPngDataUrl } from "../charts/image.js";
import type { PairGroup, PicturePair } from "../charts/pairs-chart.js";
import type { NearDuplicatePair, NearDuplicates } from "../data/audit/near-duplicates.js";
import { choosePairs, imageAt, PAIR_KINDS, type PairKind } from "../data/audit/report.js";
import type { Dataset } from "../data/dataset.js";

const HEADINGS: Record<PairKind, string> = {
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
  const pairs = choosePairs(dataset, found, numEach);
  return Promise.all(
    PAIR_KINDS.map(async (kind) => ({
      heading: HEADINGS[kind],
      pairs: await Promise.all(pairs[kind].map((pair) => picturesOf(dataset, pair))),
    })),
  );
}

async function picturesOf(dataset: Dataset, { indices }: NearDuplicatePair): Promise<PicturePair> {
  const [a, b] = indices.map((index) => imageAt(dataset, index));
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
