// Head and body of a drawn face, and what the person wears on them; an expression moves the chin alone.
import { dot, EYE_Y, fill, flat, HEAD_HEIGHT, line, MOUTH_Y, type Place, path, short } from "./geometry.js";
import { type Look, mix } from "./look.js";

const d = path(flat);

/** Gradients of the skin and the background. */
export function gradients({ skin, background, lightAngle, shade }: Look): string {
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

/** Neck and shoulders, which do not tilt with the head. */
export function body({ skin, cloth, headWidth, jaw }: Look): string {
  const neck = headWidth * jaw * 0.62;
  return [
    fill(d`M${[-neck, 20]}V50Q0 62 ${[neck, 50]}V20Z`, mix(skin, "#2a0f14", 0.28)),
    fill(d`M-46 75Q-44 45 ${[-neck - 2, 41]}Q0 58 ${[neck + 2, 41]}Q44 45 46 75Z`, cloth),
    line(d`M${[-neck - 2, 41]}Q0 58 ${[neck + 2, 41]}`, mix(cloth, "#000000", 0.3), 1.6),
  ].join("");
}

/** Ears, head and, lowered by `drop`, the chin. */
export function head(look: Look, drop: number): string {
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

/** Beard, under the mouth; `drop` lowers it with the chin. */
export function beard(look: Look, at: Place, drop: number): string {
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

/** The moustache of a full beard or a goatee too, over the upper lip. */
export function moustache(look: Look, at: Place): string {
  if (look.beard === "none" || look.beard === "stubble") return "";
  const [w, y] = [look.mouthWidth * 0.85, MOUTH_Y - 6];
  const half = (s: number) =>
    path(
      at,
    )`M${[0, y]}C${[s * w * 0.5, y - 0.8]} ${[s * w, y + 1]} ${[s * (w + 1.5), y + 4]}Q${[s * w * 0.5, y + 3]} ${[0, y + 2.8]}Z`;
  return fill(half(-1) + half(1), beardColor(look));
}

/** A shade browner than the hair, so that no beard is as light as the skin. */
function beardColor({ hair }: Look): string {
  return mix(hair, "#3a2416", 0.3);
}

/** Redness and freckles. */
export function cheeks({ blush, freckles, skin, headWidth }: Look, at: Place): string {
  const red = mix(skin, "#d2303f", 0.5);
  const speck = mix(skin, "#6b2f12", 0.45);
  const places = [
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
      ...places.map(([x, y]) => (freckles ? dot(at(side * x, y), 0.6, speck, 0.8) : "")),
    ])
    .join("");
}

/** Frames before the eyes. */
export function glasses({ glasses: kind, glassesColor, eyeSpacing, headWidth }: Look, at: Place): string {
  if (kind === "none") return "";
  const lens = (side: number) => {
    const [x, r, y] = [side * eyeSpacing, 8.8, EYE_Y + 0.5];
    const k = kind === "round" ? 0.55 : 0.95; // a circle's share of the corner, or nearly all of it
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
