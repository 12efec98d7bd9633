import { counted } from "../text.js";
import {
  fitText,
  imageLayer,
  MAX_HEIGHT,
  MUTED,
  type PlacedMark,
  pagesOf,
  pageTitle,
  pixelLayer,
  textLayer,
} from "./layout.js";
import { describe, type PredictedImage, predictionGrid, rank, SALIENCY_HINT, shown } from "./predictions.js";
import { textWidth } from "./render.js";
import { buildChart, type ChartSpec, COLORS, emptyChart, FONT_SIZE } from "./theme.js";

/** A photograph with the faces found in it. */
export interface FacesPicture {
  /** JPEG or PNG data URL. */
  image: string;
  name: string;
  /** Size in pixels of the photograph that the boxes refer to. */
  width: number;
  height: number;
  /** The faces as the network saw them, each with its box. */
  faces: FaceInPicture[];
  /** The whole image, if it has no faces, or is one. */
  whole?: PredictedImage;
  /** Whether the whole image was taken for a face. */
  isFace?: boolean;
}

/** A face of a photograph. */
export interface FaceInPicture extends PredictedImage {
  /** In pixels of the photograph. */
  box: { left: number; top: number; width: number; height: number };
}

export interface FacesChartOptions {
  title?: string;
  /** Classes to show for each face, most probable first. Default 7, or 3 with many faces. */
  numShown?: number;
}

/** With more faces than this the bars are smaller. */
const MANY = 6;
/** Photographs are as wide as the bars below and at least this wide, in pixels, unless that exceeds the height. */
const MIN_WIDTH = 760;
const MAX_PHOTO_HEIGHT = 560;
const HEADER_HEIGHT = 26;
const LABEL_HEIGHT = 18;
const LABEL_PADDING = 6;
const MAX_LABEL_WIDTH = 160;
const SPACING = 30;

/**
 * Draws photographs with a numbered box around each face, and below each the probabilities of its faces. Images without a
 * face come last.
 *
 * @returns A chart per page.
 */
export function facesCharts(photos: FacesPicture[], options: FacesChartOptions = {}): ChartSpec[] {
  const { title = "Faces", numShown } = options;
  if (!photos.length) return [emptyChart(title, "no data: there is no photograph to show")];
  const wholes = photos.flatMap(({ name, whole, isFace }) =>
    whole ? [{ ...whole, name: isFace ? name : `No face found: ${name}` }] : [],
  );
  const parts = photos.filter(({ whole }) => !whole).flatMap((photo) => photoParts(photo, numShown));
  if (wholes.length) parts.push(...gridParts(wholes, numShown));
  const hasSaliencyMaps = photos.some(({ faces, whole }) =>
    [...faces, whole].some((item) => item?.saliencyMaps),
  );
  const subtitle = hasSaliencyMaps ? SALIENCY_HINT : undefined;
  const pages = fillPages(parts);
  return pages.map((page, i) =>
    buildChart(
      {
        title: pageTitle(title, i, pages.length),
        subtitle,
        description: page.map(({ words }) => words).join("\n"),
      },
      { spacing: SPACING, vconcat: page.map(({ view }) => view) },
    ),
  );
}

/** A part of a chart, and its main numbers in words. */
interface Part {
  view: { width: number; height: number };
  words: string;
  /** Whether the next part comes below it on the same page, if both fit on one. */
  isWithNext?: boolean;
}

/** Puts parts on pages, in order, as many on each as fit. */
function fillPages(parts: Part[]): Part[][] {
  const pages: Part[][] = [[]];
  let height = 0;
  for (const [i, part] of parts.entries()) {
    const page = pages[pages.length - 1];
    const next = part.isWithNext ? parts[i + 1] : undefined;
    const needed = part.view.height + (next ? SPACING + next.view.height : 0);
    if (page.length > 0 && height + needed > MAX_HEIGHT) {
      pages.push([part]);
      height = 0;
    } else page.push(part);
    height += part.view.height + SPACING;
  }
  return pages;
}

function photoParts(photo: FacesPicture, numShown?: number): Part[] {
  const grids = gridParts(
    photo.faces.map((face, i) => ({ ...face, name: `Face ${i + 1}` })),
    numShown,
  );
  const view = photoView(photo, Math.max(MIN_WIDTH, ...grids.map(({ view: { width } }) => width)));
  return [{ view, words: heading(photo), isWithNext: grids.length > 0 }, ...grids];
}

function gridParts(items: PredictedImage[], numShown?: number): Part[] {
  const areMany = items.length > MANY;
  const rowsOf = (item: PredictedImage) => shown(item, numShown ?? (areMany ? 3 : 7));
  const numColumns = items.some(({ saliencyMaps }) => saliencyMaps) ? 1 : areMany ? 3 : 2;
  const { height: rowHeight } = predictionGrid(items.slice(0, 1), items.slice(0, 1).map(rowsOf), 1);
  return pagesOf(items, numColumns, rowHeight + SPACING).map((page) => {
    const tiles = page.map(rowsOf);
    return {
      view: predictionGrid(page, tiles, numColumns),
      words: page.map((item, i) => describe(item, tiles[i])).join("\n"),
    };
  });
}

function heading({ name, faces }: FacesPicture): string {
  return `${name}: ${counted(faces.length, "face")}`;
}

function photoView(photo: FacesPicture, maxWidth: number) {
  const scale = Math.min(maxWidth / photo.width, MAX_PHOTO_HEIGHT / photo.height);
  const [width, height] = [photo.width, photo.height].map((side) => Math.round(side * scale));
  const boxes = photo.faces.map(({ box }) => ({
    x: box.left * scale,
    x2: (box.left + box.width) * scale,
    y: HEADER_HEIGHT + box.top * scale,
    y2: HEADER_HEIGHT + (box.top + box.height) * scale,
  }));
  const labels = placeLabels(photo, boxes, width);
  const head = {
    x: 0,
    y: 8,
    text: fitText(heading(photo), width, FONT_SIZE.label),
    ...MUTED,
  };
  const outline = { type: "rect", fillOpacity: 0, strokeOpacity: 1, cornerRadius: 3 };
  return {
    width,
    height: HEADER_HEIGHT + height,
    layer: [
      textLayer({ align: "left" }, [head]),
      imageLayer([{ image: photo.image, x: 0, y: HEADER_HEIGHT, tooltip: photo.name }], width, height),
      // A light line beside the dark one makes boxes visible on any photograph.
      pixelLayer({ ...outline, stroke: COLORS.onColor, strokeWidth: 4 }, boxes),
      pixelLayer({ ...outline, stroke: COLORS.blue, strokeWidth: 2 }, boxes),
      pixelLayer({ type: "rect", color: COLORS.blue, cornerRadius: 3 }, labels),
      textLayer(
        { align: "center", fontSize: FONT_SIZE.small, fontWeight: 600 },
        labels.map(({ x, x2, y, y2, text }) => ({
          x: (x + x2) / 2,
          y: (y + y2) / 2,
          text,
          color: COLORS.onColor,
          opacity: 1,
        })),
      ),
    ],
  };
}

interface Label extends PlacedMark {
  x: number;
  x2: number;
  y: number;
  y2: number;
  text: string;
}

/** Places number and class of each face above its box, or inside the photograph. Without room, only the number. */
function placeLabels({ faces }: FacesPicture, boxes: { x: number; y: number }[], width: number): Label[] {
  const place = (texts: string[]) =>
    texts.map((whole, i) => {
      const text = fitText(whole, Math.min(MAX_LABEL_WIDTH, width) - 2 * LABEL_PADDING, FONT_SIZE.small);
      const wide = textWidth(text, FONT_SIZE.small) + 2 * LABEL_PADDING;
      const x = Math.max(0, Math.min(boxes[i].x, width - wide));
      const above = boxes[i].y - LABEL_HEIGHT;
      const y = above < HEADER_HEIGHT ? boxes[i].y : above;
      return { x, x2: x + wide, y, y2: y + LABEL_HEIGHT, text };
    });
  const full = place(faces.map((face, i) => `${i + 1} ${rank(face)[0].className}`));
  const areApart = full.every((a, i) => full.slice(i + 1).every((b) => !overlap(a, b)));
  return areApart ? full : place(faces.map((_, i) => String(i + 1)));
}

function overlap(a: Label, b: Label): boolean {
  return a.x < b.x2 && b.x < a.x2 && a.y < b.y2 && b.y < a.y2;
}
