// Points of a turned head, and the few SVG elements that faces are made of.
import type { Look } from "./look.js";

/** Half the head's height, in hundredths of the image's side. */
export const HEAD_HEIGHT = 38;
/** Height of the eyes' middle; the head's own is 0, downwards is positive. */
export const EYE_Y = -3;
/** Height of the closed mouth. */
export const MOUTH_Y = 20;
/** How far the face stands out before the axis that the head turns on. */
const DEPTH = 24;

/** Where a point stands in the picture, as path text; x to the viewer's right, y downwards. */
export type Place = (x: number, y: number) => string;

/** The point itself. */
export const flat: Place = (x, y) => `${short(x)} ${short(y)}`;

/** The projection of a head turned by the look's yaw and pitch: the face as an ellipsoid seen from afar. */
export function placeOn({ yaw, pitch, headWidth }: Look): Place {
  return (x, y) => {
    const z =
      DEPTH * Math.sqrt(Math.max(0.05, 1 - (x / (headWidth + 4)) ** 2 - (y / (HEAD_HEIGHT + 6)) ** 2));
    return flat(x * Math.cos(yaw) + z * Math.sin(yaw), y * Math.cos(pitch) + z * Math.sin(pitch));
  };
}

/** A tag for path text: `path(flat)`M${[x, y]}…``, each pair a point that `place` puts in its place; text stays. */
export function path(place: Place): (text: TemplateStringsArray, ...values: (number[] | string)[]) => string {
  return (text, ...values) =>
    String.raw(
      { raw: text },
      ...values.map((value) => (typeof value === "string" ? value : place(value[0], value[1]))),
    );
}

/** A filled path. */
export function fill(d: string, color: string, opacity = 1): string {
  return opacity > 0.02 ? `<path d="${d}" fill="${color}"${opaque("fill", opacity)}/>` : "";
}

/** A line with round ends. */
export function line(d: string, color: string, width: number, opacity = 1): string {
  if (opacity <= 0.02) return "";
  const stroke = `stroke="${color}" stroke-width="${short(width)}" stroke-linecap="round" stroke-linejoin="round"`;
  return `<path d="${d}" fill="none" ${stroke}${opaque("stroke", opacity)}/>`;
}

/** A filled circle or ellipse around a point given as path text. */
export function dot(center: string, rx: number, color: string, opacity = 1, ry = rx): string {
  const [cx, cy] = center.split(" ");
  return `<ellipse cx="${cx}" cy="${cy}" rx="${short(rx)}" ry="${short(ry)}" fill="${color}"${opaque("fill", opacity)}/>`;
}

/** A number with two decimals at most. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The paint's own opacity: the element's would cost the renderer a layer each. */
function opaque(paint: "fill" | "stroke", opacity: number): string {
  return opacity < 1 ? ` ${paint}-opacity="${short(opacity)}"` : "";
}
