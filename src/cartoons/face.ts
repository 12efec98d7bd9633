// Cartoon faces as SVG: a look and an expression. Head, body and hair are here; the features are in features.ts.
import { checkNumber } from "../errors.js";
import type { Random } from "../random.js";
import { drawActionUnits } from "./expression.js";
import {
  brow,
  chinDrop,
  dot,
  EYE_Y,
  eye,
  fill,
  flat,
  folds,
  HEAD_HEIGHT,
  line,
  MOUTH_Y,
  mouth,
  nose,
  type Projection,
  path,
  projectionOf,
  short,
} from "./features.js";
import { drawLook, type Look, mix } from "./look.js";

/** Largest difference between the movement of one side and the mean of both, as a share of the mean. */
const ASYMMETRY = 0.2;

const d = path(flat);

/**
 * Draws a cartoon face with an expression, as an SVG document without text, scripts or links.
 *
 * The look is drawn from `random` before the expression and independently of it: the same stream gives the same person, pose
 * and light for every expression. The groups `back` and `front` depend on the look only; `face` and `brows` move with the
 * expression.
 *
 * @param expression - One of `EXPRESSIONS`.
 * @param size - Width and height in the document, in pixels.
 * @throws ParameterError for an unknown expression, or a size that is not an integer in [8, 4096].
 */
export function faceSvg(expression: string, random: Random, size = 96): string {
  checkNumber("size", size, { min: 8, max: 4096, integer: true });
  const look = drawLook(random);
  const units = drawActionUnits(expression, random);
  const lean = random.uniform(-ASYMMETRY, ASYMMETRY);
  const at = projectionOf(look);
  const drop = chinDrop(units);
  const moved = `translate(${look.shift.map(short).join(" ")}) scale(${short(look.scale)})`;
  const tilted = `${moved} rotate(${short((look.tilt * 180) / Math.PI)})`;
  const eyes = ([-1, 1] as const).map((side) => eye(look, units, side, at));
  const brows = ([-1, 1] as const).map((side) => brow(look, units, side, 1 + side * lean, at));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="-50 -50 100 100">`,
    `<g id="back"><defs>${gradients(look)}</defs>`,
    '<rect x="-50" y="-50" width="100" height="100" fill="url(#background)"/>',
    `<g transform="${tilted}">${hairBehind(look)}</g><g transform="${moved}">${body(look)}</g></g>`,
    `<g transform="${tilted}"><g id="face">${head(look, drop)}${cheeks(look, at)}${beard(look, at, drop)}`,
    `${folds(look, units, at)}${nose(look, units, at)}${mouth(look, units, lean, at)}${moustache(look, at)}`,
    `${eyes.join("")}</g><g id="front">${hairInFront(look, at)}${glasses(look, at)}</g>`,
    `<g id="brows">${brows.join("")}</g></g></svg>`,
  ].join("");
}

/** Defines the gradients of the skin and the background. */
function gradients({ skin, background, lightAngle, shade }: Look): string {
  const [x, y] = [Math.cos(lightAngle) * 36, Math.sin(lightAngle) * 36].map(short);
  const [fromX, fromY] = [x, y].map((value) => short(-Number(value)));
  const stop = (offset: number, color: string) => `<stop offset="${offset}" stop-color="${color}"/>`;
  return [
    `<linearGradient id="skin" gradientUnits="userSpaceOnUse" x1="${x}" y1="${y}" x2="${fromX}" y2="${fromY}">`,
    stop(0, mix(skin, "#ffffff", shade * 0.4)) + stop(0.5, skin) + stop(1, mix(skin, "#2a0f14", shade)),
    `</linearGradient><linearGradient id="background" x1="0" y1="0" x2="${short(Math.abs(Number(x)) / 36)}" y2="1">`,
    `${stop(0, background[0])}${stop(1, mix(background[0], background[1], 0.5))}</linearGradient>`,
  ].join("");
}

/** Draws neck and shoulders, which do not tilt with the head. */
function body({ skin, cloth, headWidth, jaw }: Look): string {
  const neck = headWidth * jaw * 0.62;
  return [
    fill(d`M${[-neck, 20]}V50Q0 62 ${[neck, 50]}V20Z`, mix(skin, "#2a0f14", 0.28)),
    fill(d`M-46 75Q-44 45 ${[-neck - 2, 41]}Q0 58 ${[neck + 2, 41]}Q44 45 46 75Z`, cloth),
    line(d`M${[-neck - 2, 41]}Q0 58 ${[neck + 2, 41]}`, mix(cloth, "#000000", 0.3), 1.6),
  ].join("");
}

/** Draws the ears and the head, with the chin lowered by `drop`. */
function head(look: Look, drop: number): string {
  const { headWidth: w, jaw, skin, earSize, earrings, hairStyle, yaw } = look;
  const shade = mix(skin, "#2a0f14", 0.3);
  const ears = [-1, 1].map((side) => {
    const ear = flat(side * (w + 0.5) - 5 * Math.sin(yaw), 2);
    const lobe = flat(side * (w + 1) - 5 * Math.sin(yaw), 3 + 7 * earSize);
    if (hairStyle === "scarf") return "";
    const ring = earrings ? dot(lobe, 1.5, "#e8c65a") : "";
    return (
      dot(ear, 4.6 * earSize, "url(#skin)", 1, 7 * earSize) +
      dot(ear, 2.4 * earSize, shade, 0.6, 4.4 * earSize) +
      ring
    );
  });
  return ears.join("") + fill(outline(w, jaw, drop), "url(#skin)");
}

function outline(w: number, jaw: number, drop: number): string {
  const [top, chin, j] = [-HEAD_HEIGHT, HEAD_HEIGHT + drop, w * jaw];
  const cheekbone = 21 + drop * 0.6;
  return [
    d`M${[0, top]}C${[w * 0.72, top]} ${[w, top + 15]} ${[w, -4]}C${[w, 12]} ${[j, cheekbone]} ${[j * 0.62, chin - 6.5]}`,
    d`C${[j * 0.42, chin - 1]} ${[j * 0.2, chin]} ${[0, chin]}C${[-j * 0.2, chin]} ${[-j * 0.42, chin - 1]} ${[-j * 0.62, chin - 6.5]}`,
    d`C${[-j, cheekbone]} ${[-w, 12]} ${[-w, -4]}C${[-w, top + 15]} ${[-w * 0.72, top]} ${[0, top]}Z`,
  ].join("");
}

/** Draws the beard below the mouth; `drop` lowers it with the chin. */
function beard(look: Look, at: Projection, drop: number): string {
  const { beard: kind, headWidth: w, jaw, mouthWidth } = look;
  const [j, chin, color] = [w * jaw, HEAD_HEIGHT + drop, beardColor(look)];
  const cheek = at(mouthWidth + 5, MOUTH_Y - 4);
  const otherCheek = at(-mouthWidth - 5, MOUTH_Y - 4);
  const full = [
    d`M${[-w + 0.3, -1]}C${[-w, 14]} ${[-j, 22 + drop]} ${[-j * 0.62, chin - 5]}C${[-j * 0.4, chin + 1.5]} ${[j * 0.4, chin + 1.5]} ${[j * 0.62, chin - 5]}`,
    d`C${[j, 22 + drop]} ${[w, 14]} ${[w - 0.3, -1]}C${[w - 2, 12]} ${[w - 6, MOUTH_Y]} ${cheek}`,
    `Q${at(0, MOUTH_Y - 8)} ${otherCheek}`,
    d`C${[-w + 6, MOUTH_Y]} ${[-w + 2, 12]} ${[-w + 0.3, -1]}Z`,
  ].join("");
  if (kind === "full") return fill(full, color, 0.95);
  if (kind === "stubble") return fill(full, mix(color, "#20181a", 0.5), 0.22);
  if (kind !== "goatee") return "";
  const y = MOUTH_Y + 6;
  const edge = path(at);
  return fill(
    edge`M${[-7, y]}Q${[0, y + 3]} ${[7, y]}Q${[6, chin + 3]} ${[0, chin + 3]}Q${[-6, chin + 3]} ${[-7, y]}Z`,
    color,
    0.95,
  );
}

/** Draws the moustache, which a full beard and a goatee have too. */
function moustache(look: Look, at: Projection): string {
  if (look.beard === "none" || look.beard === "stubble") return "";
  const [w, y] = [look.mouthWidth * 0.85, MOUTH_Y - 6];
  const half = (s: number) =>
    path(
      at,
    )`M${[0, y]}C${[s * w * 0.5, y - 0.8]} ${[s * w, y + 1]} ${[s * (w + 1.5), y + 4]}Q${[s * w * 0.5, y + 3]} ${[0, y + 2.8]}Z`;
  return fill(half(-1) + half(1), beardColor(look));
}

/** Returns a colour browner than the hair, so that no beard is as light as the skin. */
function beardColor({ hair }: Look): string {
  return mix(hair, "#3a2416", 0.3);
}

/** Draws redness and freckles. */
function cheeks({ blush, freckles, skin, headWidth }: Look, at: Projection): string {
  const red = mix(skin, "#d2303f", 0.5);
  const speck = mix(skin, "#6b2f12", 0.45);
  const spots = [
    [12, 6],
    [15, 8],
    [18, 6],
    [13.5, 10],
    [17, 10.5],
    [9.5, 8.5],
  ];
  return [-1, 1]
    .flatMap((side) => [
      dot(at(side * headWidth * 0.58, 10), 6, red, 0.32 * blush, 4),
      ...spots.map(([x, y]) => (freckles ? dot(at(side * x, y), 0.6, speck, 0.8) : "")),
    ])
    .join("");
}

/** Draws the glasses. */
function glasses({ glasses: kind, glassesColor, eyeSpacing, headWidth }: Look, at: Projection): string {
  if (kind === "none") return "";
  const lens = (side: number) => {
    const [x, r, y] = [side * eyeSpacing, 8.8, EYE_Y + 0.5];
    const k = kind === "round" ? 0.55 : 0.95; // a circle's corner, or almost a square one
    const corner = (fromX: number, fromY: number, toX: number, toY: number) =>
      `C${at(x + r * (fromX + k * toX), y + r * (fromY + k * toY))} ${at(x + r * (toX + k * fromX), y + r * (toY + k * fromY))} ${at(x + r * toX, y + r * toY)}`;
    return `M${at(x + r, y)}${corner(1, 0, 0, 1)}${corner(0, 1, -1, 0)}${corner(-1, 0, 0, -1)}${corner(0, -1, 1, 0)}Z`;
  };
  const gap = eyeSpacing - 8.8;
  const bridge = `M${at(-gap, EYE_Y)}Q${at(0, EYE_Y - 2)} ${at(gap, EYE_Y)}`;
  const arms = [-1, 1]
    .map((s) => `M${at(s * (eyeSpacing + 8.8), EYE_Y)}L${short(s * headWidth)} ${EYE_Y}`)
    .join("");
  return (
    fill(lens(-1) + lens(1), "#ffffff", 0.12) + line(lens(-1) + lens(1) + bridge + arms, glassesColor, 1.2)
  );
}

/** Draws hair and headwear behind the head. */
function hairBehind({ hairStyle, hair, cloth, headWidth: w }: Look): string {
  const color = mix(hair, "#000000", 0.25);
  const curtain = (foot: number, out: number) =>
    d`M${[-w - foot, 60]}C${[-w - foot - 2, 10]} ${[-w - out, -45]} ${[0, -45]}C${[w + out, -45]} ${[w + foot + 2, 10]} ${[w + foot, 60]}Z`;
  switch (hairStyle) {
    case "long":
      return fill(curtain(5, 8), color);
    case "bob":
      return fill(
        d`M${[-w - 3, 26]}C${[-w - 9, 0]} ${[-w - 6, -43]} ${[0, -43]}C${[w + 6, -43]} ${[w + 9, 0]} ${[w + 3, 26]}Q${[0, 36]} ${[-w - 3, 26]}Z`,
        color,
      );
    case "afro":
      return dot("0 -15", w + 13, mix(hair, "#000000", 0.12), 1, 34);
    case "bun":
      return dot("0 -44", 10.5, color);
    case "scarf":
      return fill(curtain(9, 9), mix(cloth, "#000000", 0.25));
    default:
      return "";
  }
}

/** Draws hair and headwear on the head; the hairline turns with the face. */
function hairInFront(look: Look, at: Projection): string {
  const { hairStyle, hair, cloth, headWidth: w, jaw, yaw } = look;
  const turn = Math.sin(yaw) * 14;
  const inner = w - 3;
  /** Covers the skull from temple to temple, `lift` above it, and returns along the `hairline`. */
  const cap = (lift: number, temple: number, hairline: string, color = hair, opacity = 1) => {
    const [x, y] = [w + lift * 0.5, -HEAD_HEIGHT - lift];
    const skull = d`M${[-x, temple]}C${[-x - 1, y + 14]} ${[-w * 0.7, y]} ${[0, y]}C${[w * 0.7, y]} ${[x + 1, y + 14]} ${[x, temple]}`;
    return fill(`${skull}${hairline}Z`, color, opacity);
  };
  const round = d`C${[inner, -18]} ${[inner * 0.7 + turn, -24]} ${[turn, -24]}C${[-inner * 0.7 + turn, -24]} ${[-inner, -18]} ${[-w, -6]}`;
  switch (hairStyle) {
    case "buzz":
      return cap(0.8, -6, round, hair, 0.85);
    case "bun":
      return cap(2, -6, round);
    case "afro":
      return cap(1, -8, round, mix(hair, "#000000", 0.12));
    case "short": {
      const tips = [0.75, 0.3, 0, -0.4, -0.75].map(
        (x, i) => d`L${[inner * x + turn, i % 2 ? -25.5 : -21.5]}`,
      );
      return cap(4, -4, d`L${[inner, -10]}${tips.join("")}L${[-inner, -10]}`);
    }
    case "sidePart":
      return cap(
        4.5,
        -5,
        d`C${[inner, -14]} ${[w * 0.7, -20]} ${[w * 0.4 + turn, -29]}C${[w * 0.1 + turn, -19]} ${[-w * 0.6, -19]} ${[-inner, -9]}`,
      );
    case "curly":
      return [-1, -0.8, -0.55, -0.28, 0, 0.28, 0.55, 0.8, 1]
        .map((x, i) => {
          const curl = flat(x * (w - 1) + turn * 0.4, -38.5 + 19 * x * x + (i % 2));
          return dot(curl, 8.6, i % 2 ? hair : mix(hair, "#ffffff", 0.06));
        })
        .join("");
    case "long":
      return fill(
        d`M${[0, -43]}C${[w + 7, -43]} ${[w + 8, 0]} ${[w + 4, 36]}C${[w - 1, 20]} ${[w + 3, -17]} ${[turn * 1.2, -30]}C${[-w - 3, -17]} ${[-w + 1, 20]} ${[-w - 4, 36]}C${[-w - 8, 0]} ${[-w - 7, -43]} ${[0, -43]}Z`,
        hair,
      );
    case "bob":
      return cap(
        5,
        14,
        d`C${[w - 1, 2]} ${[w - 2, -12]} ${[w - 3, -19]}Q${[turn, -25]} ${[-w + 3, -19]}C${[-w + 2, -12]} ${[-w + 1, 2]} ${[-w - 2, 14]}`,
      );
    case "scarf": {
      const outer = d`M${[0, 62]}L${[-w - 7, 62]}C${[-w - 9, 10]} ${[-w - 6, -44]} ${[0, -44]}C${[w + 6, -44]} ${[w + 9, 10]} ${[w + 7, 62]}Z`;
      const opening = d`M${[0, 37]}C${[w * jaw * 0.8, 37]} ${[w - 2, 16]} ${[w - 3, -4]}C${[w - 4, -22]} ${[w * 0.5, -28]} ${[0, -28]}C${[-w * 0.5, -28]} ${[-w + 4, -22]} ${[-w + 3, -4]}C${[-w + 2, 16]} ${[-w * jaw * 0.8, 37]} ${[0, 37]}Z`;
      const fold = line(opening, mix(cloth, "#000000", 0.22), 1.2);
      return `<path d="${outer}${opening}" fill="${cloth}" fill-rule="evenodd"/>${fold}`;
    }
    case "beanie":
      return (
        cap(5, -16, d`Q${[turn, -28]} ${[-w - 2, -16]}`, cloth) +
        line(d`M${[-w - 1, -19]}Q${[turn, -30]} ${[w + 1, -19]}`, mix(cloth, "#ffffff", 0.25), 6)
      );
    case "bald":
      return dot(at(-w * 0.25, -28), 7, "#ffffff", 0.14, 3.5);
  }
}
