// The look of a drawn face: person, pose and light, everything but the expression.
import type { Random } from "../random.js";

const HAIR_STYLES = [
  "bald",
  "buzz",
  "short",
  "sidePart",
  "curly",
  "afro",
  "long",
  "bob",
  "bun",
  "scarf",
  "beanie",
] as const;

/** Look of one face; lengths in percent of the image's side, angles in radians, colours as #rrggbb. */
export interface Look {
  skin: string;
  hair: string;
  hairStyle: (typeof HAIR_STYLES)[number];
  /** Colour of a scarf, a beanie and the clothes. */
  cloth: string;
  background: readonly [string, string];
  iris: string;
  lips: string;
  /** Half the head's width. */
  headWidth: number;
  /** Width of the jaw as a share of the head's. */
  jaw: number;
  earSize: number;
  noseWidth: number;
  noseLength: number;
  /** Half the distance between the eyes. */
  eyeSpacing: number;
  /** Half an eye's width. */
  eyeWidth: number;
  eyeHeight: number;
  /** Height of the outer corner above the inner one. */
  eyeSlant: number;
  lashes: boolean;
  browThickness: number;
  /** Height and tilt of the brows at rest. */
  browHeight: number;
  browSlope: number;
  /** Half the mouth's width at rest. */
  mouthWidth: number;
  /** Height of the mouth's corners at rest, downwards. */
  mouthDroop: number;
  lipThickness: number;
  beard: "none" | "stubble" | "moustache" | "goatee" | "full";
  glasses: "none" | "round" | "square";
  glassesColor: string;
  freckles: boolean;
  earrings: boolean;
  /** Strength of lines and folds, [0, 1]. */
  age: number;
  /** Redness of the cheeks, [0, 1]. */
  blush: number;
  /** Turn to the side, nod and tilt of the head. */
  yaw: number;
  pitch: number;
  tilt: number;
  scale: number;
  shift: readonly [number, number];
  gaze: readonly [number, number];
  /** Direction of the light, and how much darker the far side is, [0, 1]. */
  lightAngle: number;
  shade: number;
}

const SKINS = [
  "#ffe3d3",
  "#fbd3b6",
  "#efbd97",
  "#dfa67b",
  "#c98d62",
  "#ad734b",
  "#8f5a39",
  "#70442b",
  "#553223",
  "#4c2d20",
];
const HAIRS = [
  "#1b1614",
  "#2a1d17",
  "#3f2a1e",
  "#5b3a24",
  "#7d5231",
  "#a87542",
  "#d3a560",
  "#ecd08f",
  "#b5532a",
  "#8b3220",
];
const DYES = ["#c2427f", "#3c6fb5", "#2f8f83", "#7a4bb0"];
const CLOTHS = [
  "#c8553d",
  "#e0a33b",
  "#4f8a5b",
  "#2f6f8f",
  "#4b4e8d",
  "#8d4b73",
  "#d9d2c5",
  "#2f3136",
  "#78a8b8",
  "#b7747a",
];
const BACKGROUNDS = [
  "#f3d9b8",
  "#cfe3d4",
  "#c5dcec",
  "#e3d3ec",
  "#f2cbc6",
  "#e9e4d8",
  "#8fb3c4",
  "#7f9a86",
  "#b59a86",
  "#5d6b82",
  "#46515c",
];
const IRISES = ["#3b2417", "#4f2f1c", "#6b4526", "#7a6a2f", "#4c7a4a", "#3f7391", "#6f8fa6", "#5a6470"];

/** Draws the look of one face, without knowing its expression, so that no trait gives the expression away. */
export function drawLook(random: Random): Look {
  const age = random.uniform();
  const skin = between(SKINS, random.uniform());
  const hairStyle = random.pick(HAIR_STYLES);
  return {
    skin,
    hair: hairColor(random, age),
    hairStyle,
    cloth: random.pick(CLOTHS),
    background: [random.pick(BACKGROUNDS), random.pick(BACKGROUNDS)],
    iris: random.pick(IRISES),
    lips: mix(mix(skin, "#b5505a", 0.45), "#b3122f", random.chance(0.3) ? random.uniform(0.3, 0.7) : 0),
    headWidth: random.uniform(28, 33),
    jaw: random.uniform(0.78, 0.98),
    earSize: random.uniform(0.8, 1.25),
    noseWidth: random.uniform(3.6, 6),
    noseLength: random.uniform(-1.2, 1.5),
    eyeSpacing: random.uniform(12.2, 13.8),
    eyeWidth: random.uniform(6.2, 7.6),
    eyeHeight: random.uniform(0.95, 1.2),
    eyeSlant: random.uniform(-0.8, 1.3),
    lashes: random.chance(0.45),
    browThickness: random.uniform(2, 3.6),
    browHeight: random.uniform(-1, 1),
    browSlope: random.uniform(-0.6, 0.6),
    mouthWidth: random.uniform(9.8, 12),
    mouthDroop: random.uniform(-0.5, 0.5),
    lipThickness: random.uniform(0.8, 2.1),
    beard:
      random.chance(0.28) && hairStyle !== "scarf"
        ? random.pick(["stubble", "moustache", "goatee", "full"] as const)
        : "none",
    glasses: random.chance(0.2) ? random.pick(["round", "square"] as const) : "none",
    glassesColor: random.pick(["#1f1f24", "#5a3a22", "#8a2f3b", "#2f4a6b", "#b08a3c"]),
    freckles: random.chance(0.15),
    earrings: random.chance(0.2),
    age,
    blush: random.uniform(),
    yaw: random.uniform(-0.36, 0.36),
    pitch: random.uniform(-0.14, 0.14),
    tilt: random.normal(0, 0.09),
    scale: random.uniform(1.04, 1.22),
    shift: [random.uniform(-3.5, 3.5), random.uniform(0, 6)],
    gaze: [random.uniform(-1.6, 1.6), random.uniform(-0.7, 0.9)],
    lightAngle: random.uniform(0, 2 * Math.PI),
    shade: random.uniform(0.1, 0.4),
  };
}

/** Mixes two colours: share 0 gives `from`, share 1 gives `to`. */
export function mix(from: string, to: string, share: number): string {
  const [a, b] = [from, to].map((color) => [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16)));
  return `#${a
    .map((x, i) =>
      Math.round(x + (b[i] - x) * share)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

/** Returns the colour at a position in `[0, 1)` of an evenly spaced scale. */
function between(scale: readonly string[], share: number): string {
  const position = share * (scale.length - 1);
  const i = Math.floor(position);
  return mix(scale[i], scale[i + 1], position - i);
}

function hairColor(random: Random, age: number): string {
  const natural = random.pick(HAIRS);
  const dyed = random.pick(DYES);
  const grey = random.uniform(0.6, 1);
  if (random.chance(0.06)) return dyed;
  return age > 0.8 ? mix(natural, "#cfcdc8", grey) : natural;
}
