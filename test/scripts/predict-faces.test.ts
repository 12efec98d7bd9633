import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { ASTRONAUT, groupPhoto, HOPPER } from "../faces/photos.js";
import { classifierInFolder } from "../inference/fixtures.js";
import { runFerkit } from "./fixtures.js";

describe("ferkit predict --faces", () => {
  const given = classifierInFolder();
  const predict = (...args: string[]) =>
    runFerkit(["predict", ...args, "--model", "model", "--faces"], given.dir);

  beforeEach(async () => {
    const { config, network } = given.classifier;
    await saveModel(path.join(given.dir, "model"), config, await network.parameters());
    const portraits = [
      { file: ASTRONAUT, left: 0, top: 0, height: 400 },
      { file: HOPPER, left: 400, top: 0, height: 400 },
    ];
    await sharp(await groupPhoto(760, 400, portraits)).toFile(path.join(given.dir, "two.png"));
    await sharp(await groupPhoto(48, 48, [])).toFile(path.join(given.dir, "none.png"));
  });

  it("prints each face with its place and classes, and says that an image has none", () => {
    const { status, stdout, stderr } = predict("two.png", "none.png", "--top", "1");
    assert.deepEqual([status, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines[0], `${path.join(given.dir, "two.png")}  2 faces`);
    const face = /^ {2}([12]) {2}\d+×\d+ at (\d+),\d+ {2}(circle|square|triangle) \d+\.\d%$/;
    assert.deepEqual(
      lines.slice(1, 3).map((line) => face.exec(line)?.[1]),
      ["1", "2"],
    );
    assert.match(lines[3], /none\.png {2}no face found; as a whole: (circle|square|triangle) \d+\.\d%$/);
    assert.equal(lines.length, 4);
  });

  it("prints a JSON line for each image", () => {
    const { status, stdout } = predict("two.png", "none.png", "--json");
    assert.equal(status, 0);
    const [two, none] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(Object.keys(two), ["name", "faces"]);
    assert.equal(two.faces.length, 2);
    for (const face of two.faces) {
      assert.deepEqual(Object.keys(face), ["box", "score", "predictions"]);
      assert.deepEqual(Object.keys(face.box).sort(), ["height", "left", "top", "width"]);
      assert.equal(face.predictions.length, 3);
    }
    assert.deepEqual(Object.keys(none), ["name", "faces", "predictions"]);
    assert.deepEqual([none.faces, none.predictions.length], [[], 3]);
  });

  it("draws the photograph with its faces", () => {
    const { status } = predict("two.png", "--chart", "faces.svg");
    assert.equal(status, 0);
    const svg = readFileSync(path.join(given.dir, "faces.svg"), "utf8");
    assert.equal(svg.match(/<image /g)?.length, 3);
    assert.ok(svg.includes(">two.png: 2 faces<"));
  });

  it("draws two saliency maps beside each face, and beside an image without a face", () => {
    const { status } = predict("two.png", "none.png", "--chart", "why.svg", "--saliency");
    assert.equal(status, 0);
    const svg = readFileSync(path.join(given.dir, "why.svg"), "utf8");
    assert.equal(svg.match(/<image /g)?.length, 1 + 3 * 3);
    assert.equal(svg.match(/>Grad-CAM: (circle|square|triangle)</g)?.length, 3);
    assert.equal(svg.match(/>Occlusion: (circle|square|triangle)</g)?.length, 3);
  });
});
