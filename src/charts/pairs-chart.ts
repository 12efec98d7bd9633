import { imageLayer, type PlacedMark, textLayer } from "./pixel-layout.js";
import { fitText } from "./text-width.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE } from "./theme.js";

/** Two pictures side by side, each with its class. */
export interface PicturePair {
  /** PNG data URLs, square. */
  images: [string, string];
  captions: [string, string];
  /** A line under both. */
  detail: string;
}

/** Pairs that belong together, under a heading. */
export interface PairGroup {
  heading: string;
  pairs: PicturePair[];
}

const [SIDE, INNER_GAP, GAP, NUM_COLUMNS] = [76, 3, 26, 4];
const [HEADING_HEIGHT, CAPTION_HEIGHT, DETAIL_HEIGHT] = [30, 18, 14];
const PITCH = { x: 2 * SIDE + INNER_GAP + GAP, y: SIDE + CAPTION_HEIGHT + DETAIL_HEIGHT + 14 };

/** Pairs of pictures to compare by eye, group after group; groups without pairs are left out. */
export function pairsChart(groups: PairGroup[], title = "Pairs", subtitle?: string): ChartSpec {
  const shown = groups.filter(({ pairs }) => pairs.length > 0);
  if (!shown.length) return emptyChart(title, "no pair was found");
  const [pictures, texts, headings]: PlacedMark[][] = [[], [], []];
  let y = 0;
  for (const { heading, pairs } of shown) {
    headings.push({ x: 0, y: y + 8, text: heading, color: COLORS.mutedText });
    y += HEADING_HEIGHT;
    pairs.forEach((pair, i) => {
      const [left, top] = [(i % NUM_COLUMNS) * PITCH.x, y + Math.floor(i / NUM_COLUMNS) * PITCH.y];
      pair.images.forEach((image, side) => {
        const x = left + side * (SIDE + INNER_GAP);
        const caption = pair.captions[side];
        pictures.push({ image, x, y: top, tooltip: `${caption}, ${pair.detail}` });
        const text = fitText(caption, SIDE, FONT_SIZE.small);
        texts.push({ x: x + SIDE / 2, y: top + SIDE + 12, text, color: COLORS.text });
      });
      texts.push({
        x: left + SIDE + INNER_GAP / 2,
        y: top + SIDE + CAPTION_HEIGHT + 9,
        text: fitText(pair.detail, 2 * SIDE + GAP - 6, FONT_SIZE.small),
        color: COLORS.mutedText,
      });
    });
    y += Math.ceil(pairs.length / NUM_COLUMNS) * PITCH.y + 6;
  }
  return buildChart(
    {
      title,
      subtitle,
      description: shown
        .flatMap(({ heading, pairs }) => [
          heading,
          ...pairs.map(({ captions, detail }) => `${captions.join(" and ")}: ${detail}`),
        ])
        .join("\n"),
    },
    {
      width: NUM_COLUMNS * PITCH.x - GAP,
      height: y - 20,
      layer: [
        imageLayer(pictures, SIDE),
        textLayer({ align: "left", fontSize: FONT_SIZE.label }, headings),
        textLayer({ align: "center", fontSize: FONT_SIZE.small }, texts),
      ],
    },
  );
}
