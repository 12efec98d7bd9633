import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { ASTRONAUT, groupPhoto, HOPPER } from "../faces/photos.js";
import { randomNetwork } from "../model/fixtures.js";
import { workspace } from "../workspace.js";

describe("ferkit predict --faces", () => {
  const folder = workspace("suite");
  const predict = (...args: string[]) => folder.ferkit("predict", ...args, "--model", "model", "--faces");

  before("saves a model, and draws two photographs", async () => {
    const network = randomNetwork({ imageSize: 33, classNames: ["circle", "square", "triangle"] });
    await saveModel(folder.file("model"), network.config, await network.parameters());
    network.dispose();
    const portraits = [
      { file: ASTRONAUT, left: 0, top: 0, height: 400 },
      { file: HOPPER, left: 400, top: 0, height: 400 },
    ];
    await sharp(await groupPhoto(760, 400, portraits)).toFile(folder.file("two.png"));
    await sharp(await groupPhoto(48, 48, [])).toFile(folder.file("none.png"));
  });

  it("prints each face with its box and classes, and says if there is none", async () => {
    const { status, stdout, stderr } = await predict("two.png", "none.png", "--top", "1");
    assert.deepEqual([status, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines[0], `${folder.file("two.png")}  2 faces`);
    const face = /^ {2}([12]) {2}\d+×\d+ at (\d+),\d+ {2}(circle|square|triangle) \d+\.\d%$/;
    assert.deepEqual(
      lines.slice(1, 3).map((line) => face.exec(line)?.[1]),
      ["1", "2"],
    );
    assert.match(lines[3], /none\.png {2}no face found; as a whole: (circle|square|triangle) \d+\.\d%$/);
    assert.equal(lines.length, 4);
  });

  it("prints a JSON line for each image", async () => {
    const { status, stdout } = await predict("two.png", "none.png", "--json");
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

  it("draws the photograph with its faces", async () => {
    const { status } = await predict("two.png", "--chart", "faces.svg");
    assert.equal(status, 0);
    const svg = readFileSync(folder.file("faces.svg"), "utf8");
    assert.equal(svg.match(/<image /g)?.length, 3);
    assert.ok(svg.includes(">two.png: 2 faces<"));
  });

  it("draws two saliency maps beside each face, and beside an image without one", async () => {
    const { status } = await predict("two.png", "none.png", "--chart", "why.svg", "--saliency");
    assert.equal(status, 0);
    const svg = readFileSync(folder.file("why.svg"), "utf8");
    assert.equal(svg.match(/<image /g)?.length, 1 + 3 * 3);
    assert.equal(svg.match(/>Grad-CAM: (circle|square|triangle)</g)?.length, 3);
    assert.equal(svg.match(/>Occlusion: (circle|square|triangle)</g)?.length, 3);
  });
});
