import assert from "node:assert/strict";
import sharp from "sharp";
import { EXPRESSIONS } from "../../src/cartoons/expression.js";
import { faceSvg } from "../../src/cartoons/face.js";
import { Random } from "../../src/random.js";

/** Text from the group with an id to the end of the document. */
const from = (svg: string, id: string) => svg.slice(svg.indexOf(`<g id="${id}">`));
/** Parts that depend on the look only: background, body, hair and glasses. */
const lookOf = (svg: string) => [
  svg.split('<g id="face">')[0],
  from(svg, "front").split('<g id="brows">')[0],
];
/** Returns tags without a partner; none in a well-formed document. */
function unbalanced(svg: string): string[] {
  const open: string[] = [];
  for (const [, close, name, empty] of svg.matchAll(/<(\/?)(\w+)(?: [\w:-]+="[^"<>]*")*(\/?)>/g)) {
    if (close && open.pop() !== name) return [name];
    if (!close && !empty) open.push(name);
  }
  return open;
}

describe("EXPRESSIONS", () => {
  it("names the seven classes of FER-2013, sorted as folders are", () => {
    assert.deepEqual(EXPRESSIONS, ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]);
  });
});

describe("faceSvg", () => {
  it("draws the same face from the same stream, and another face from another stream", () => {
    assert.equal(faceSvg("happy", new Random(1, "a")), faceSvg("happy", new Random(1, "a")));
    assert.notEqual(faceSvg("happy", new Random(1, "a")), faceSvg("happy", new Random(2, "a")));
  });

  it("draws the same person, pose and light for every expression", () => {
    for (let i = 0; i < 40; i++) {
      const faces = EXPRESSIONS.map((expression) => faceSvg(expression, new Random(3, i)));
      assert.equal(new Set(faces).size, 7, `stream ${i}: some expressions look the same`);
      for (const face of faces) assert.deepEqual(lookOf(face), lookOf(faces[0]), `stream ${i}`);
    }
  });

  it("writes well-formed documents of finite numbers, without text, links or scripts", () => {
    for (const expression of EXPRESSIONS)
      for (let i = 0; i < 60; i++) {
        const svg = faceSvg(expression, new Random(4, i), 48);
        assert.match(
          svg,
          /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="48" height="48" viewBox="-50 -50 100 100">/,
        );
        assert.deepEqual(unbalanced(svg), []);
        assert.doesNotMatch(svg, /NaN|Infinity|undefined|[ "]-?[\d.]+e|<text|href|<script|style=/);
        assert.equal(
          new Set(svg.match(/ id="\w+"/g)).size,
          svg.match(/ id="\w+"/g)?.length,
          "an id used twice",
        );
      }
  });

  it("is rendered by sharp at its own size, differently for each expression", async () => {
    const images = await Promise.all(
      EXPRESSIONS.map((expression) =>
        sharp(Buffer.from(faceSvg(expression, new Random(5), 64)))
          .raw()
          .toBuffer({ resolveWithObject: true }),
      ),
    );
    for (const { info } of images) assert.deepEqual([info.width, info.height], [64, 64]);
    for (const [i, { data }] of images.entries())
      for (const other of images.slice(0, i)) {
        const different =
          data.filter((value: number, k: number) => Math.abs(value - other.data[k]) > 16).length /
          data.length;
        assert.ok(different > 0.005, `${different * 100}% of the values differ`);
      }
  });

  it("refuses an unknown expression or size", () => {
    assert.throws(() => faceSvg("smug", new Random(0)), {
      name: "ParameterError",
      message:
        "Expected one of angry, disgust, fear, happy, neutral, sad, surprise for expression but received smug of type string",
    });
    assert.throws(() => faceSvg("sad", new Random(0), Number.NaN), {
      name: "ParameterError",
      message: "Expected an integer in [8, 4096] for size but received NaN of type number",
    });
  });
});
