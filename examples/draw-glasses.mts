// Draws faces with and without glasses into class folders: npx tsx examples/draw-glasses.mts FOLDER [IMAGES-OF-EACH-CLASS]
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { EXPRESSIONS, internals, Random } from "../src/index.js";

const { checkNumber, drawFace, drawLook } = internals;
const [folder = "data/glasses", given = "150"] = process.argv.slice(2);
const perClass = checkNumber("the number of images of each class", Number(given), { min: 5, integer: true });
const numDrawn = { glasses: 0, "no-glasses": 0 };
for (let i = 0; numDrawn.glasses + numDrawn["no-glasses"] < 2 * perClass; i++) {
  const person = () => new Random(0, "glasses", i); // the same at each call
  const className = drawLook(person()).glasses === "none" ? "no-glasses" : "glasses";
  if (numDrawn[className] === perClass) continue;
  const split = ++numDrawn[className] % 5 === 0 ? "validation" : "train";
  const image = await drawFace(EXPRESSIONS[i % EXPRESSIONS.length], person(), 96);
  await mkdir(path.join(folder, split, className), { recursive: true });
  await writeFile(path.join(folder, split, className, `${i}.png`), image);
}
console.log(
  `${folder}: ${perClass} faces with glasses and as many without, one fifth of them for validation`,
);
