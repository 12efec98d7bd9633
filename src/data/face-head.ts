// The parts of a drawn face that no expression moves: background, body, hair, head, ears, glasses; and the beard.
import { dot, EYE_Y, fill, HEAD_HEIGHT, line, MOUTH_Y, type Place, short } from "./face-geometry.js";
import { type Look, mix } from "./face-look.js";

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
    fill(`M${short(-neck)} 20V50Q0 62 ${short(neck)} 50V20Z`, mix(skin, "#2a0f14", 0.28)),
    fill(`M-46 75Q-44 45 ${short(-neck - 2)} 41Q0 58 ${short(neck + 2)} 41Q44 45 46 75Z`, cloth),
    line(`M${short(-neck - 2)} 41Q0 58 ${short(neck + 2)} 41`, mix(cloth, "#000000", 0.3), 1.6),
  ].join("");
}

/** Ears, head and, lowered by `drop`, the chin. */
export function head(look: Look, drop: number): string {
  const { headWidth: w, jaw, skin, earSize, earrings, hairStyle, yaw } = look;
  const shade = mix(skin, "#2a0f14", 0.3);
  const ears = [-1, 1].map((side) => {
    const ear = `${short(side * (w + 0.5) - 5 * Math.sin(yaw))} 2`;
    const lobe = `${short(side * (w + 1) - 5 * Math.sin(yaw))} ${short(3 + 7 * earSize)}`;
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
  const p = (x: number, y: number) => `${short(x)} ${short(y)}`;
  const half = (s: 1 | -1) =>
    s === 1
      ? `C${p(w * 0.72, top)} ${p(w, top + 15)} ${p(w, -4)}C${p(w, 12)} ${p(j, 21 + drop * 0.6)} ${p(j * 0.62, chin - 6.5)}C${p(j * 0.42, chin - 1)} ${p(j * 0.2, chin)} ${p(0, chin)}`
      : `C${p(-j * 0.2, chin)} ${p(-j * 0.42, chin - 1)} ${p(-j * 0.62, chin - 6.5)}C${p(-j, 21 + drop * 0.6)} ${p(-w, 12)} ${p(-w, -4)}C${p(-w, top + 15)} ${p(-w * 0.72, top)} ${p(0, top)}`;
  return `M${p(0, top)}${half(1)}${half(-1)}Z`;
}

/** Hair and cloth behind the head. */
export function hairBehind({ hairStyle, hair, cloth, headWidth: w }: Look): string {
  const color = mix(hair, "#000000", 0.25);
  const p = short;
  if (hairStyle === "long")
    return fill(
      `M${p(-w - 5)} 60C${p(-w - 7)} 20 ${p(-w - 8)} -44 0 -44C${p(w + 8)} -44 ${p(w + 7)} 20 ${p(w + 5)} 60Z`,
      color,
    );
  if (hairStyle === "bob")
    return fill(
      `M${p(-w - 3)} 26C${p(-w - 9)} 0 ${p(-w - 6)} -43 0 -43C${p(w + 6)} -43 ${p(w + 9)} 0 ${p(w + 3)} 26Q0 36 ${p(-w - 3)} 26Z`,
      color,
    );
  if (hairStyle === "afro") return dot("0 -14", w + 13, color, 1, 35);
  if (hairStyle === "bun") return dot("0 -43", 10.5, color);
  if (hairStyle === "scarf")
    return fill(
      `M${p(-w - 9)} 60C${p(-w - 9)} 10 ${p(-w - 8)} -46 0 -46C${p(w + 8)} -46 ${p(w + 9)} 10 ${p(w + 9)} 60Z`,
      mix(cloth, "#000000", 0.25),
    );
  return "";
}

/** Hair and cloth over the forehead. */
export function hairBefore(look: Look, at: Place): string {
  const { hairStyle, hair, cloth, headWidth: w, jaw, yaw } = look;
  const p = short;
  const turn = Math.sin(yaw) * 14; // the hairline goes with the face
  /** From temple to temple over the skull, `lift` above it, and back along the hairline through `middle`. */
  const cap = (lift: number, temple: number, middle: string) => {
    const [x, y] = [w + lift * 0.5, -HEAD_HEIGHT - lift];
    return `M${p(-x)} ${p(temple)}C${p(-x - 1)} ${p(y + 14)} ${p(-w * 0.7)} ${p(y)} 0 ${p(y)}C${p(w * 0.7)} ${p(y)} ${p(x + 1)} ${p(y + 14)} ${p(x)} ${p(temple)}${middle}Z`;
  };
  const inner = w - 3;
  const round = `C${p(inner)} -18 ${p(inner * 0.7 + turn)} -24 ${p(turn)} -24C${p(-inner * 0.7 + turn)} -24 ${p(-inner)} -18 ${p(-w)} -6`;
  switch (hairStyle) {
    case "buzz":
      return fill(cap(0.8, -6, round), hair, 0.85);
    case "short":
      return fill(
        cap(
          4,
          -4,
          `L${p(inner)} -10L${p(inner * 0.75 + turn)} -22L${p(inner * 0.3 + turn)} -25L${p(turn)} -21L${p(-inner * 0.4 + turn)} -25L${p(-inner * 0.75 + turn)} -21L${p(-inner)} -10`,
        ),
        hair,
      );
    case "sidePart":
      return fill(
        cap(
          4.5,
          -5,
          `C${p(inner)} -14 ${p(w * 0.7)} -20 ${p(w * 0.4 + turn)} -29C${p(w * 0.1 + turn)} -19 ${p(-w * 0.6)} -19 ${p(-inner)} -9`,
        ),
        hair,
      );
    case "curly":
      return [-1, -0.8, -0.55, -0.28, 0, 0.28, 0.55, 0.8, 1]
        .map((x, i) =>
          dot(
            `${p(x * (w - 1) + turn * 0.4)} ${p(-38.5 + 19 * x * x + (i % 2))}`,
            8.6,
            i % 2 ? hair : mix(hair, "#ffffff", 0.06),
          ),
        )
        .join("");
    case "afro":
      return fill(cap(5, -8, round), hair);
    case "long":
      return fill(
        `M0 -43C${p(w + 7)} -43 ${p(w + 7)} 0 ${p(w + 4)} 34C${p(w)} 20 ${p(w)} -14 ${p(turn * 1.2)} -31C${p(-w)} -14 ${p(-w)} 20 ${p(-w - 4)} 34C${p(-w - 7)} 0 ${p(-w - 7)} -43 0 -43Z`,
        hair,
      );
    case "bob":
      return fill(
        cap(
          5,
          14,
          `C${p(w - 1)} 2 ${p(w - 2)} -12 ${p(w - 3)} -19Q${p(turn)} -25 ${p(-w + 3)} -19C${p(-w + 2)} -12 ${p(-w + 1)} 2 ${p(-w - 2)} 14`,
        ),
        hair,
      );
    case "bun":
      return fill(cap(2, -6, round), hair);
    case "scarf":
      return fill(
        `M${p(-w - 7)} 60C${p(-w - 9)} 10 ${p(-w - 6)} -44 0 -44C${p(w + 6)} -44 ${p(w + 9)} 10 ${p(w + 7)} 60L0 60V${p(40)}C${p(w * jaw * 0.5)} 38 ${p(w - 2)} 20 ${p(w - 3)} -4C${p(w - 4)} -22 ${p(w * 0.5)} -28 0 -28C${p(-w * 0.5)} -28 ${p(-w + 4)} -22 ${p(-w + 3)} -4C${p(-w + 2)} 20 ${p(-w * jaw * 0.5)} 38 0 40V60Z`,
        cloth,
      );
    case "beanie":
      return (
        fill(cap(5, -16, `Q${p(turn)} -28 ${p(-w - 2)} -16`), cloth) +
        line(`M${p(-w - 1)} -19Q${p(turn)} -30 ${p(w + 1)} -19`, mix(cloth, "#ffffff", 0.25), 6)
      );
    default:
      return dot(at(-w * 0.25, -28), 7, "#ffffff", 0.14, 3.5);
  }
}

/** Beard, under the mouth; `drop` lowers it with the chin. */
export function beard(
  { beard: kind, hair, headWidth: w, jaw, mouthWidth }: Look,
  at: Place,
  drop: number,
): string {
  const j = w * jaw;
  const chin = HEAD_HEIGHT + drop;
  const full = `M${short(-w + 0.5)} 0C${short(-w)} 14 ${short(-j)} ${short(22 + drop)} ${short(-j * 0.62)} ${short(chin - 5)}C${short(-j * 0.4)} ${short(chin + 1.5)} ${short(j * 0.4)} ${short(chin + 1.5)} ${short(j * 0.62)} ${short(chin - 5)}C${short(j)} ${short(22 + drop)} ${short(w)} 14 ${short(w - 0.5)} 0C${short(w - 4)} 12 ${at(mouthWidth + 6, 13)} ${at(0, 13.5)}C${at(-mouthWidth - 6, 13)} ${short(-w + 4)} 12 ${short(-w + 0.5)} 0Z`;
  if (kind === "full") return fill(full, hair, 0.94);
  if (kind === "stubble") return fill(full, mix(hair, "#20181a", 0.5), 0.22);
  if (kind === "goatee")
    return fill(
      `M${at(-7, MOUTH_Y + 6)}Q${at(0, MOUTH_Y + 9)} ${at(7, MOUTH_Y + 6)}Q${at(6, chin + 3)} ${at(0, chin + 3)}Q${at(-6, chin + 3)} ${at(-7, MOUTH_Y + 6)}Z`,
      hair,
      0.94,
    );
  return "";
}

/** The moustache of a full beard or a goatee too, over the upper lip's upper edge. */
export function moustache({ beard: kind, hair, mouthWidth }: Look, at: Place): string {
  if (kind === "none" || kind === "stubble") return "";
  const [w, y] = [mouthWidth * 0.85, MOUTH_Y - 6];
  return fill(
    `M${at(0, y)}C${at(w * 0.5, y - 0.8)} ${at(w, y + 1)} ${at(w + 1.5, y + 4)}Q${at(w * 0.5, y + 3)} ${at(0, y + 2.8)}Q${at(-w * 0.5, y + 3)} ${at(-w - 1.5, y + 4)}C${at(-w, y + 1)} ${at(-w * 0.5, y - 0.8)} ${at(0, y)}Z`,
    hair,
  );
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
