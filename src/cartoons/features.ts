// What the action units move: brows, eyes, nose, mouth and folds. Points of the turned head, and the SVG elements of a face.
import type { ActionUnits } from "./expression.js";
import { type Look, mix } from "./look.js";

/** Half the head's height, in percent of the image's side. */
export const HEAD_HEIGHT = 38;
/** Height of the eyes; the middle of the head is 0, and downwards is positive. */
export const EYE_Y = -3;
/** Height of the closed mouth. */
export const MOUTH_Y = 20;
/** Distance of the face from the axis that the head turns around. */
const DEPTH = 24;

/** Projects a point of the head to the picture, as path text; x goes to the viewer's right, y downwards. */
export type Projection = (x: number, y: number) => string;

/** Keeps the point as it is. */
export const flat: Projection = (x, y) => `${short(x)} ${short(y)}`;

/** Returns the projection of a head with the look's yaw and pitch: the face is an ellipsoid, seen from a distance. */
export function projectionOf({ yaw, pitch, headWidth }: Look): Projection {
  return (x, y) => {
    const z =
      DEPTH * Math.sqrt(Math.max(0.05, 1 - (x / (headWidth + 4)) ** 2 - (y / (HEAD_HEIGHT + 6)) ** 2));
    return flat(x * Math.cos(yaw) + z * Math.sin(yaw), y * Math.cos(pitch) + z * Math.sin(pitch));
  };
}

/** Returns a tag for path text, as in `path(flat)`M${[x, y]}…``: projects each point, and leaves text as it is. */
export function path(
  project: Projection,
): (text: TemplateStringsArray, ...values: (number[] | string)[]) => string {
  return (text, ...values) =>
    String.raw(
      { raw: text },
      ...values.map((value) => (typeof value === "string" ? value : project(value[0], value[1]))),
    );
}

/** Draws a filled path. */
export function fill(d: string, color: string, opacity = 1): string {
  return opacity > 0.02 ? `<path d="${d}" fill="${color}"${opaque("fill", opacity)}/>` : "";
}

/** Draws a line with round ends. */
export function line(d: string, color: string, width: number, opacity = 1): string {
  if (opacity <= 0.02) return "";
  const stroke = `stroke="${color}" stroke-width="${short(width)}" stroke-linecap="round" stroke-linejoin="round"`;
  return `<path d="${d}" fill="none" ${stroke}${opaque("stroke", opacity)}/>`;
}

/** Draws a filled circle or ellipse around a point given as path text. */
export function dot(center: string, rx: number, color: string, opacity = 1, ry = rx): string {
  const [cx, cy] = center.split(" ");
  return `<ellipse cx="${cx}" cy="${cy}" rx="${short(rx)}" ry="${short(ry)}" fill="${color}"${opaque("fill", opacity)}/>`;
}

/** Writes a number with at most two decimals. */
export function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Sets the opacity of the paint, since an opacity of the element costs the renderer a layer. */
function opaque(paint: "fill" | "stroke", opacity: number): string {
  return opacity < 1 ? ` ${paint}-opacity="${short(opacity)}"` : "";
}

/** Side of the face: -1 = the viewer's left. */
export type Side = -1 | 1;

/** Draws one brow; `strength` scales the intensities on its side. */
export function brow(look: Look, units: ActionUnits, side: Side, strength: number, at: Projection): string {
  const { browThickness: t, browHeight, browSlope, eyeSpacing, hair } = look;
  const d = path((x, y) => at(side * x, y));
  const rest = EYE_Y - 10.5 - browHeight;
  const lowered = units[4] * (1 - 0.6 * units[1]); // with the inner raiser, the brows move together rather than down
  const inner = -6.4 * units[1] + 6 * lowered + 1.6 * units[9];
  const middle = -2.4 * units[1] - 4.4 * units[2] + 2.6 * lowered + 1.2 * units[9];
  const outer = 2.8 * units[1] * (1 - units[2]) - 3.8 * units[2] - 1.2 * lowered;
  const [from, to] = [eyeSpacing - 7 - 2.2 * units[4], eyeSpacing + 8];
  const [y0, y1, y2] = [
    rest - browSlope + inner * strength,
    rest - 2 + middle * strength,
    rest + 1 + browSlope + outer * strength,
  ];
  const shape = d`M${[from, y0 - t / 2]}Q${[eyeSpacing, y1 - t]} ${[to, y2]}Q${[eyeSpacing, y1 + t * 0.6]} ${[from, y0 + t / 2]}Z`;
  const color = mix(hair, "#15100e", 0.5); // darker than the hair, so that it shows on any skin
  return fill(shape, color) + line(shape, color, 0.7);
}

/** Draws one eye: the white between two lids with the iris, or a line if the eye is closed. */
export function eye(look: Look, units: ActionUnits, side: Side, at: Projection): string {
  const { eyeSpacing, eyeWidth: w, eyeHeight, eyeSlant, gaze, iris, lashes, skin } = look;
  const d = path((x, y) => at(side * (eyeSpacing + x), EYE_Y + y));
  const open = 1 - units[43];
  const squeeze = 1.7 * units[7] + 1.3 * units[9];
  const upper = (4.6 * eyeHeight + 2.7 * units[5] - 0.8 * units[6] - squeeze) * open - 2 * units[43];
  const lower = (3.3 * eyeHeight + 0.9 * units[5] - 4.4 * units[6] - 0.8 * squeeze) * open + 2.2 * units[43];
  const scowl = 2.8 * units[4] * (1 - units[1]); // a lowered brow covers the inner half of the lid
  const droop = 2.6 * units[1] * (1 - units[2]) * (1 - units[5]) * open; // a raised inner brow lifts it
  const [inner, outer] = [
    [-w, 0.6],
    [w, -eyeSlant],
  ];
  const lid = d`M${inner}C${[-w * 0.5, scowl - droop * 0.5 - upper * 1.35]} ${[w * 0.5, droop - upper * 1.35]} ${outer}`;
  const dark = mix(skin, "#120a0c", 0.85);
  const lash = lashes ? line(d`M${outer}L${[w + 2, -eyeSlant - 1.6]}`, dark, 1.1) : "";
  const lidLine = line(lid, dark, lashes ? 1.7 : 1.2) + lash;
  if (upper + lower < 1.1) return lidLine;
  const white = `${lid}${d`C${[w * 0.5, lower * 1.3]} ${[-w * 0.5, lower * 1.3]} ${inner}Z`}`;
  const id = side < 0 ? "leftEye" : "rightEye";
  const pupil = (x: number, y: number) => at(side * eyeSpacing + gaze[0] + x, EYE_Y + gaze[1] + y);
  const pouch = d`M${[-w * 0.7, 4.6]}Q${[0, 6.6 - 2 * units[6]]} ${[w * 0.8, 4.2]}`;
  return [
    fill(white, "#fbf8f4"),
    `<clipPath id="${id}"><path d="${white}"/></clipPath><g clip-path="url(#${id})">`,
    dot(pupil(0, -0.4), 3.7 - 0.4 * units[5], iris) + dot(pupil(0, -0.4), 1.9, "#0d0a0a"),
    `${dot(pupil(-1.3, -1.8), 1, "#ffffff")}${line(lid, "#3a2a30", 2.6, 0.3)}</g>`,
    line(d`M${inner}C${[-w * 0.5, lower * 1.3]} ${[w * 0.5, lower * 1.3]} ${outer}`, dark, 0.6, 0.6),
    line(pouch, dark, 0.7, 0.5 * Math.max(units[6], units[7])) + lidLine,
  ].join("");
}

/** Draws the nose and the wrinkles on its bridge. */
export function nose(look: Look, units: ActionUnits, at: Projection): string {
  const { noseWidth, noseLength, skin, lightAngle } = look;
  const d = path(at);
  const w = noseWidth * (1 + 0.2 * units[9] + 0.1 * units[12]);
  const y = 9 + noseLength - 2.2 * units[9] - 0.6 * units[10];
  const shade = mix(skin, "#2a0a10", 0.55);
  const dark = Math.cos(lightAngle) > 0 ? -1 : 1; // the side away from the light
  const side = d`M${[dark * 1.4, EYE_Y - 2]}Q${[dark * 1.6, y - 4]} ${[dark * w, y]}Q${[dark * 2, y + 1.2]} ${[0, y + 1]}Z`;
  const leftWing = d`M${[-w, y - 1.4]}Q${[-w - 0.6, y + 1]} ${[-w * 0.5, y + 1.1]}`;
  const rightWing = d`Q${[0, y + 2.6]} ${[w * 0.5, y + 1.1]}Q${[w + 0.6, y + 1]} ${[w, y - 1.4]}`;
  const wrinkles = [4, 6, 8].map((dy) => {
    const x = 2 + dy * 0.2;
    return line(
      d`M${[-x, EYE_Y + dy]}Q${[0, EYE_Y + dy - 2.6]} ${[x, EYE_Y + dy]}`,
      shade,
      0.9,
      0.9 * units[9],
    );
  });
  return [
    fill(side, shade, 0.28) + dot(at(0, y - 2), w * 0.45, "#ffffff", 0.16),
    line(leftWing + rightWing, shade, 1.1, 0.9),
    ...wrinkles,
  ].join("");
}

/** Draws the folds of brow, forehead, cheeks and chin; some of them come with age. */
export function folds(look: Look, units: ActionUnits, at: Projection): string {
  const { skin, age, mouthWidth, noseWidth } = look;
  const d = path(at);
  const shade = mix(skin, "#2a0a10", 0.6);
  const aged = age * age;
  const raised = Math.max(units[9], 0.8 * units[10], 0.55 * units[12], 0.4 * units[6]);
  const cheek = Math.min(0.85, 0.35 * aged + 0.8 * raised);
  const frown = Math.min(0.9, units[4] * (1 - 0.6 * units[1]) + 0.25 * aged);
  const forehead = Math.min(0.6, 0.5 * units[1] * units[2] + 0.25 * aged);
  const reach = mouthWidth + 2.5 + 2.5 * units[12];
  const sides = [-1, 1].map((s) => {
    const from = [s * (noseWidth + 1.8), 8.5 - 2 * units[9]];
    const nasolabial = d`M${from}Q${[s * (reach + 0.5), 11]} ${[s * reach, 18 - 2 * units[12]]}`;
    const glabella = d`M${[s * 1.7, EYE_Y - 8]}L${[s * 1.4, EYE_Y - 4]}`;
    return line(nasolabial, shade, 0.9, cheek) + line(glabella, shade, 0.9, frown);
  });
  const wrinkle = (y: number, x: number) =>
    line(d`M${[-x, y]}Q${[0, y - 1.4]} ${[x, y]}`, shade, 0.7, forehead);
  const chin = d`M${[-4, MOUTH_Y + 9]}Q${[0, MOUTH_Y + 7]} ${[4, MOUTH_Y + 9]}`;
  return [
    ...sides,
    wrinkle(EYE_Y - 17, 9),
    wrinkle(EYE_Y - 20, 7),
    line(chin, shade, 1, 0.9 * units[17]),
  ].join("");
}

/** Returns how far the chin moves down. */
export function chinDrop(units: ActionUnits): number {
  return 4.5 * units[26] + 3.5 * units[27] - 0.8 * units[17];
}

/** Inner edges of the lips: half the width, and the heights of the corners and of the middles. */
interface Opening {
  width: number;
  left: number;
  right: number;
  upper: number;
  lower: number;
  /** Position of the control points, as a share of the width: 0.5 = pointed corners, 1 = round corners. */
  fullness: number;
}

/** Draws the mouth: lips around a line, or around teeth and tongue; with `lean`, one corner moves more. */
export function mouth(look: Look, units: ActionUnits, lean: number, at: Projection): string {
  const { lipThickness, lips, skin } = look;
  const opening = openMouth(look, units, lean);
  const { width, left, upper, lower } = opening;
  const d = path(at);
  const corner = d`M${[-width, left]}`;
  /** Goes from the left corner through `y` in the middle to the right corner, and back through `back`. */
  const between = (y: number, back: number) =>
    `${corner}${edge(opening, y, 1, at)}${edge(opening, back, -1, at)}Z`;
  const press = 1 - 0.75 * Math.max(units[23], units[24]);
  const thick = lipThickness * press * (1 - 0.25 * units[12]);
  const rim = between(upper - thick, lower + thick * 1.35);
  const rims = fill(rim, lips) + line(rim, lips, 0.8);
  const dark = mix(skin, "#1d070b", 0.8);
  const depth = lower - upper;
  if (depth < 1.2) return rims + line(`${corner}${edge(opening, (upper + lower) / 2, 1, at)}`, dark, 1.3);
  const inside = between(upper, lower);
  const jaw = units[26] + units[27];
  const smile = units[12] * units[25];
  const upperTeeth = Math.max(smile, 0.9 * units[10], 0.8 * units[16], 0.32 * units[20]) > 0.25;
  const lowerTeeth = units[16] * (1 - units[19]) > 0.3;
  const gaps = [-0.6, -0.3, 0, 0.3, 0.6].map((x) => d`M${[x * width, upper - 1]}L${[x * width, lower + 1]}`);
  return [
    rims + fill(inside, "#4a0d16"),
    `<clipPath id="mouth"><path d="${inside}"/></clipPath><g clip-path="url(#mouth)">`,
    jaw > 0.25 ? dot(at(0, lower + 0.5), width * 0.62, "#c9545f", 1, depth * 0.42) : "",
    upperTeeth ? fill(between(upper - 1, upper + Math.min(depth * 0.55, 3.4)), "#fdfbf5") : "",
    lowerTeeth ? fill(between(lower - Math.min(depth * 0.42, 2.8), lower + 1), "#f4efe4") : "",
    lowerTeeth ? line(gaps.join(""), "#8a6f70", 0.4, 0.6) : "",
    `</g>${line(inside, dark, 0.7, 0.8)}`,
    units[19] > 0.4 ? tongue(width * 0.5, lower - 3, lower + 5 * units[19], at) : "",
  ].join("");
}

function openMouth({ mouthWidth, mouthDroop }: Look, units: ActionUnits, lean: number): Opening {
  const jaw = units[26] + units[27];
  const rounded = Math.min(1, jaw) * (1 - Math.max(units[12], units[20]));
  const width = mouthWidth * (1 + 0.42 * units[12] + 0.4 * units[20] - 0.2 * units[24] - 0.32 * rounded);
  const pull = 5 * units[15] - 5.4 * units[12] + 3.2 * units[20];
  const rest = MOUTH_Y + mouthDroop + 0.25 * jaw;
  const rise = 2.2 * units[15] + 0.8 * units[17] - 1.8 * units[12] + 1.2 * units[20];
  const upper = MOUTH_Y - rise - 3.6 * units[10] - 1.6 * jaw - 0.6 * units[25];
  const parted = (5 + 1.2 * units[12]) * units[25] + 2.6 * units[16] + 1.6 * units[10] - 2 * units[24];
  const gap = Math.max(0, parted + 6.5 * units[26] + 5 * units[27]);
  const fullness = 0.5 + 0.5 * Math.min(1, Math.max(1.2 * units[20], units[16], units[10], jaw));
  return {
    width,
    left: rest + pull * (1 - lean),
    right: rest + pull * (1 + lean),
    upper,
    lower: upper + gap,
    fullness,
  };
}

/** Draws a curve to the right corner (`way` 1) or back to the left one (-1), with its middle at height `y`. */
function edge({ width, left, right, fullness }: Opening, y: number, way: 1 | -1, at: Projection): string {
  const bend = (side: number) => [side * width * fullness, (4 * y - (side < 0 ? left : right)) / 3];
  return path(at)`C${bend(-way)} ${bend(way)} ${[way * width, way < 0 ? left : right]}`;
}

function tongue(half: number, top: number, tip: number, at: Projection): string {
  const d = path(at);
  const shape = d`M${[-half, top]}C${[-half * 1.1, tip + 1.5]} ${[half * 1.1, tip + 1.5]} ${[half, top]}Q${[0, top - 1.5]} ${[-half, top]}Z`;
  return fill(shape, "#d8606c") + line(d`M${[0, top + 0.5]}L${[0, tip - 2]}`, "#a23c4b", 0.8);
}
