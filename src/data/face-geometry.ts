// Points of a turned head, and the few SVG elements that faces are made of.
import type { Look } from "./face-look.js";

/** Half the head's height, in hundredths of the image's side. */
export const HEAD_HEIGHT = 38;
/** Height of the eyes' middle; the head's own is 0, downwards is positive. */
export const EYE_Y = -3;
/** Height of the closed mouth. */
export const MOUTH_Y = 20;
const DEPTH = 24;

/** Where a point of the face stands in the picture, as path text: `at(x, y)`, x to the viewer's right, y downwards. */
export type Place = (x: number, y: number) => string;

/** The projection of a head turned by the look's yaw and pitch: the face as an ellipsoid seen from afar. */
export function placeOn({ yaw, pitch, headWidth }: Look): Place {
  return (x, y) => {
    const z =
      DEPTH * Math.sqrt(Math.max(0.05, 1 - (x / (headWidth + 4)) ** 2 - (y / (HEAD_HEIGHT + 6)) ** 2));
    return `${short(x * Math.cos(yaw) + z * Math.sin(yaw))} ${short(y * Math.cos(pitch) + z * Math.sin(pitch))}`;
  };
}

/** A filled path. */
export function fill(d: string, color: string, opacity = 1): string {
  return opacity > 0.02 ? `<path d="${d}" fill="${color}"${opaque(opacity)}/>` : "";
}

/** A line with round ends. */
export function line(d: string, color: string, width: number, opacity = 1): string {
  if (opacity <= 0.02) return "";
  return `<path d="${d}" fill="none" stroke="${color}" stroke-width="${short(width)}" stroke-linecap="round" stroke-linejoin="round"${opaque(opacity)}/>`;
}

/** A filled circle or ellipse around a point given as path text. */
export function dot(center: string, rx: number, color: string, opacity = 1, ry = rx): string {
  const [cx, cy] = center.split(" ");
  return `<ellipse cx="${cx}" cy="${cy}" rx="${short(rx)}" ry="${short(ry)}" fill="${color}"${opaque(opacity)}/>`;
}

/** A number with two decimals at most. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function opaque(opacity: number): string {
  return opacity < 1 ? ` opacity="${short(opacity)}"` : "";
}
