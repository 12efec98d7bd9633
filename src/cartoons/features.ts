// What action units move in the upper face, and the folds: brows, eyes, nose.
import type { ActionUnits } from "./expression.js";
import { dot, EYE_Y, fill, line, MOUTH_Y, type Place, path } from "./geometry.js";
import { type Look, mix } from "./look.js";

/** A side of the face: -1 = the viewer's left. */
export type Side = -1 | 1;

/** One brow; `strength` is the side's share of the intensities. */
export function brow(look: Look, units: ActionUnits, side: Side, strength: number, at: Place): string {
  const { browThickness: t, browHeight, browSlope, eyeSpacing, hair } = look;
  const d = path((x, y) => at(side * x, y));
  const rest = EYE_Y - 10.5 - browHeight;
  const lowered = units[4] * (1 - 0.6 * units[1]); // against the inner raiser it draws together more than down
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
  const color = mix(hair, "#15100e", 0.5); // darker than the hair, so that it stands out from any skin
  return fill(shape, color) + line(shape, color, 0.7);
}

/** One eye: the white between two lids, the iris behind them; a line where they meet. */
export function eye(look: Look, units: ActionUnits, side: Side, at: Place): string {
  const { eyeSpacing, eyeWidth: w, eyeHeight, eyeSlant, gaze, iris, lashes, skin } = look;
  const d = path((x, y) => at(side * (eyeSpacing + x), EYE_Y + y));
  const open = 1 - units[43];
  const squeeze = 1.7 * units[7] + 1.3 * units[9];
  const upper = (4.6 * eyeHeight + 2.7 * units[5] - 0.8 * units[6] - squeeze) * open - 2 * units[43];
  const lower = (3.3 * eyeHeight + 0.9 * units[5] - 4.4 * units[6] - 0.8 * squeeze) * open + 2.2 * units[43];
  const scowl = 2.8 * units[4] * (1 - units[1]); // a lowered brow covers the lid's inner half
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

/** Nose, with the wrinkles of its bridge. */
export function nose(look: Look, units: ActionUnits, at: Place): string {
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

/** Folds of brow, forehead, cheeks and chin; age draws some of them too. */
export function folds(look: Look, units: ActionUnits, at: Place): string {
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
