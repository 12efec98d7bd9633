import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { hasBfloat16, useBackend } from "../../src/engine/device.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { writeFiles } from "../data/fixtures.js";
import { ASTRONAUT, groupPhoto, HOPPER } from "../faces/photos.js";
import { randomNetwork } from "../model/fixtures.js";
import { projectDir } from "../source-files.js";
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
    assert.equal(lines[0], "two.png  2 faces");
    const face = /^ {2}([12]) {2}\d+×\d+ at (\d+),\d+ {2}(circle|square|triangle) \d+\.\d%$/;
    assert.deepEqual(
      lines.slice(1, 3).map((line) => face.exec(line)?.[1]),
      ["1", "2"],
    );
    assert.match(lines[3], /none\.png {2}no face found; as a whole: (circle|square|triangle) \d+\.\d%$/);
    assert.equal(lines.length, 4);
  });

  it("says which face the border cuts", async () => {
    await sharp(HOPPER).extract({ left: 0, top: 0, width: 512, height: 260 }).toFile(folder.file("cut.png"));
    const { stdout } = await predict("cut.png", "--top", "1");
    assert.match(
      stdout,
      /^ {2}1 .* \d+\.\d% {2}\(cut: \d+% of it is beyond the border, where the photograph is mirrored\)$/m,
    );
    await sharp(HOPPER).extract({ left: 0, top: 0, width: 512, height: 300 }).toFile(folder.file("chin.png"));
    const { stdout: chin } = await predict("chin.png", "--top", "1");
    assert.match(chin, /^ {2}1 .* \d+\.\d% {2}\(at the border, which may cut it\)$/m);
    const { stdout: json } = await predict("cut.png", "--json");
    const [{ outside }] = JSON.parse(json).faces;
    assert.ok(outside > 0.05 && outside < 0.5, `${outside}`);
  });

  it("prints a JSON line for each image", async () => {
    const { status, stdout } = await predict("two.png", "none.png", "--json");
    assert.equal(status, 0);
    const [two, none] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(Object.keys(two), ["name", "model", "faces"]);
    assert.equal(two.faces.length, 2);
    for (const face of two.faces) {
      assert.deepEqual(Object.keys(face), ["box", "score", "outside", "predictions"]);
      assert.deepEqual(Object.keys(face.box).sort(), ["height", "left", "top", "width"]);
      assert.equal(face.predictions.length, 3);
    }
    assert.deepEqual(Object.keys(none), ["name", "model", "faces", "predictions"]);
    assert.deepEqual([none.faces, none.predictions.length], [[], 3]);
  });

  it("draws the photograph with its faces", async () => {
    const { status, stderr } = await predict("two.png", "--chart", "faces.svg");
    assert.equal(status, 0);
    assert.match(stderr, /^wrote \S+\/faces\.svg$/m);
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

describe("ferkit predict", () => {
  const folder = workspace("suite");

  async function save(name: string, classNames: string[]): Promise<void> {
    const network = randomNetwork({ imageSize: 33, classNames });
    await saveModel(folder.file(name), network.config, await network.parameters());
    network.dispose();
  }

  before("saves two models, and draws images", async () => {
    await save("shapes", ["circle", "square", "triangle"]);
    await save("expressions", ["happy", "neutral", "sad"]);
    await sharp(await groupPhoto(40, 40, [])).toFile(folder.file("b.png"));
    await sharp(await groupPhoto(50, 40, [])).toFile(folder.file("c.png"));
    writeFileSync(folder.file("bad.jpg"), "");
  });

  const namesOf = (stdout: string) =>
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).name);

  for (const model of ["shapes", "expressions"])
    it(`prints a line for each readable image, and an error for each other one (${model})`, async () => {
      const images = ["absent.png", "b.png", "bad.jpg", "c.png"];
      const { status, stdout, stderr } = await folder.ferkit(
        "predict",
        ...images,
        "--model",
        model,
        "--json",
      );
      assert.equal(status, 1);
      assert.deepEqual(namesOf(stdout), ["b.png", "c.png"]);
      const [absent, bad, ...rest] = stderr.trim().split("\n");
      assert.match(
        absent,
        /^ferkit: Expected an image or a folder of images at \S+absent\.png but found no such path\./,
      );
      assert.match(bad, /^ferkit: Expected an image at \S+bad\.jpg but found an empty file\./);
      assert.deepEqual(rest, []);
    });

  for (const model of ["shapes", "expressions"])
    it(`says how much of an image the central square leaves out (${model})`, async () => {
      const wide = { width: 90, height: 10, channels: 3 as const, background: "grey" };
      for (const name of ["wide.png", "wider.png"]) await sharp({ create: wide }).toFile(folder.file(name));
      const images = ["b.png", "wide.png", "wider.png"];
      const { stderr } = await folder.ferkit("predict", ...images, "--model", model, "--json");
      assert.match(
        stderr,
        /^note: The central square leaves out 89% of wide\.png, 90×10, and much of 1 more\. Crop to what matters, or choose a model that was trained with fit=pad\.\n$/m,
      );
    });

  it("says which white level is guessed, and which images do not fit the model's", async () => {
    for (const [name, value] of [
      ["dim.png", 900],
      ["light.png", 60000],
      ["dark.png", 100],
    ] as const) {
      const raw = { width: 40, height: 40, channels: 1 } as const;
      const image = sharp(new Uint16Array(1600).fill(value), { raw }).toColourspace("grey16");
      await image.png().toFile(folder.file(name));
    }
    const network = randomNetwork({ imageSize: 33, classNames: ["happy", "sad"] });
    const decoding = { fit: "crop", whiteLevels: { "16-bit": 4095 } } as const;
    await saveModel(folder.file("scans"), { ...network.config, decoding }, await network.parameters());
    network.dispose();
    const notes = async (model: string) => {
      const images = ["dim.png", "light.png", "dark.png"];
      const { status, stderr } = await folder.ferkit("predict", ...images, "--model", model);
      assert.equal(status, 0);
      return stderr.trim().split("\n");
    };
    assert.deepEqual(await notes("shapes"), [
      "note: White is 1,023 in dim.png, the smallest range that holds its largest number, 900, and likewise in 1 more: " +
        "the model was not trained on 16-bit numbers. Save such images in 8 bits to choose the range.",
    ]);
    assert.deepEqual(await notes("scans"), [
      "note: Numbers above 4,095 are white in light.png, whose largest is 60,000. " +
        "Scale such images as those for training, or save them in 8 bits.",
      "note: dark.png is nearly black: its largest number is 100, and white is 4,095. " +
        "Scale such images as those for training, or save them in 8 bits.",
    ]);
  });

  it("names images as they or their folders were given", async () => {
    mkdirSync(folder.file("some"));
    await sharp(await groupPhoto(40, 40, [])).toFile(folder.file("some", "1.png"));
    const above = path.join("..", path.basename(folder.path), "c.png");
    const given = ["./b.png", "some", above, folder.file("wide.png")];
    const names = ["b.png", "some/1.png", above, folder.file("wide.png")];
    for (const model of ["shapes", "expressions"]) {
      const { stdout } = await folder.ferkit("predict", ...given, "--model", model, "--json");
      assert.deepEqual(namesOf(stdout), names);
      const lines = (await folder.ferkit("predict", ...given, "--model", model)).stdout.trim().split("\n");
      assert.deepEqual(
        lines.map((line) => line.split("  ")[0]),
        names,
      );
    }
  });

  it("draws the readable images, and nothing if there is none", async () => {
    const draw = (file: string, ...images: string[]) =>
      folder.ferkit("predict", ...images, "--model", "shapes", "--chart", file);
    assert.equal((await draw("some.svg", "bad.jpg", "b.png")).status, 1);
    assert.equal(readFileSync(folder.file("some.svg"), "utf8").match(/<image /g)?.length, 1);
    assert.equal((await draw("none.svg", "bad.jpg")).status, 1);
    assert.ok(!existsSync(folder.file("none.svg")));
  });

  it("computes in bfloat16 on request, where the processor does", async function () {
    if (!hasBfloat16()) {
      console.log("      skipped: the processor does not multiply bfloat16 numbers");
      this.skip();
    }
    const probsOf = async (...args: string[]) => {
      const { status, stdout } = await folder.ferkit(
        ...["predict", "b.png", "--model", "shapes", "--json", ...args],
      );
      assert.equal(status, 0);
      return new Map<string, number>(
        JSON.parse(stdout).predictions.map(({ className, prob }: { className: string; prob: number }) => [
          className,
          prob,
        ]),
      );
    };
    const [exact, rounded] = [await probsOf(), await probsOf("--precision", "bfloat16")];
    assert.notDeepEqual(rounded, exact);
    for (const [name, prob] of exact) assert.ok(Math.abs((rounded.get(name) as number) - prob) < 0.05, name);
    assert.deepEqual(await probsOf("--precision", "float32"), exact);
  });

  it("refuses bfloat16 where nothing computes in it, and other numbers", async () => {
    const predict = (precision: string) =>
      folder.ferkit("predict", "b.png", "--model", "shapes", "--precision", precision);
    useBackend("stock");
    const refused = await predict("bfloat16").finally(() => useBackend("fastest"));
    assert.equal(refused.status, 1);
    assert.equal(
      refused.stderr,
      "ferkit: Expected a processor with AVX512-BF16 for precision bfloat16 but found one without, or no native ops. Choose float32.\n",
    );
    const mistyped = await predict("bfloat");
    assert.equal(mistyped.status, 1);
    assert.equal(
      mistyped.stderr,
      "ferkit: Did you mean bfloat16? Expected one of float32, bfloat16 for --precision but received bfloat of type string\n",
    );
  });

  describe("with a model that was calibrated for sets", () => {
    const predict = (...args: string[]) =>
      folder.ferkit("predict", "b.png", "c.png", "--model", "calibrated", ...args);

    before("saves one whose sets hold one class for 90%, and all for 95%", async () => {
      const network = randomNetwork({ imageSize: 33, classNames: ["circle", "square", "triangle"] });
      const thresholds = [
        { coverage: 0.9, minProb: 1 },
        { coverage: 0.95, minProb: 0 },
      ];
      const config = { ...network.config, predictionSets: { thresholds, numImages: 100 } };
      await saveModel(folder.file("calibrated"), config, await network.parameters());
      network.dispose();
    });

    it("prints the sets beside the probabilities", async () => {
      const [line] = (await predict()).stdout.split("\n");
      const found = / {2}\((90%: (\w+); 95%: (\w+), \w+, \w+)\)$/.exec(line);
      assert.ok(found, line);
      const json = JSON.parse((await predict("--json", "--top", "1")).stdout.split("\n")[0]);
      assert.deepEqual(Object.keys(json), ["name", "model", "predictions", "sets"]);
      assert.deepEqual(
        json.sets.map(({ coverage, classNames }: { coverage: number; classNames: string[] }) => [
          coverage,
          classNames.length,
        ]),
        [
          [0.9, 1],
          [0.95, 3],
        ],
      );
      assert.equal(json.sets[0].classNames[0], json.predictions[0].className);
    });

    it("gives no answer where a set holds several classes, on request", async () => {
      assert.doesNotMatch((await predict("--abstain", "0.9")).stdout, /no answer/);
      assert.match((await predict("--abstain", "0.95")).stdout, /b\.png {2}no answer: \w+ \d/);
      const [sure, unsure] = [
        await predict("--abstain", "0.9", "--json"),
        await predict("--abstain", "0.95", "--json"),
      ].map(({ stdout }) => JSON.parse(stdout.split("\n")[0]));
      assert.equal(sure.answer, sure.predictions[0].className);
      assert.equal(unsure.answer, null);
    });

    it("averages views on request, without the sets, which are for one view", async () => {
      const portrait = { file: HOPPER, left: 0, top: 0, height: 60 };
      await sharp(await groupPhoto(60, 60, [portrait])).toFile(folder.file("portrait.png"));
      const probsOf = async (...args: string[]) => {
        const { status, stdout, stderr } = await predict("portrait.png", "--json", ...args);
        assert.equal(status, 0, stderr);
        const { sets, predictions } = JSON.parse(stdout.split("\n")[2]);
        assert.equal(sets === undefined, args.length > 0);
        return JSON.stringify(predictions);
      };
      const found = [await probsOf(), await probsOf("--flip"), await probsOf("--crops")];
      assert.equal(new Set(found).size, 3);
      const { stderr } = await predict("--crops", "--abstain", "0.9");
      assert.equal(
        stderr,
        "ferkit: Expected one view of each image with --abstain but found --crops. Remove --crops: prediction sets are calibrated for the image alone.\n",
      );
      const both = await predict("--crops", "--flip");
      assert.equal(
        both.stderr,
        "ferkit: Expected --flip or --crops but found both. Remove one: --crops has mirror images too.\n",
      );
    });

    it("refuses a coverage that the model has no sets for", async () => {
      assert.equal(
        (await predict("--abstain", "0.5")).stderr,
        "ferkit: Expected 0.9 or 0.95 for --abstain but found 0.5. Choose one of these.\n",
      );
      const { status, stderr } = await folder.ferkit(
        "predict",
        "b.png",
        "--model",
        "shapes",
        "--abstain",
        "0.9",
      );
      assert.equal(status, 1);
      assert.equal(
        stderr,
        `ferkit: Expected a model that was calibrated for prediction sets, for --abstain at ${folder.file("shapes")} but found one that was not. ` +
          "Run `npx ferkit calibrate --data IMAGES --model shapes` with 100 or more labelled images that it was not trained on, or train with --set calibrationShare=0.1.\n",
      );
      const bundled = await folder.ferkit("predict", "b.png", "--abstain", "0.9");
      assert.match(
        bundled.stderr,
        /^ferkit: Expected a model that was calibrated for prediction sets, for --abstain at \S+models\/ferplus but found a bundled one, which is not\. Run `npx ferkit calibrate --data IMAGES --model ferplus --to FOLDER` with 100 or more labelled images of your own, then predict with --model FOLDER\.$/m,
      );
    });
  });

  it("applies --top to lines, JSON and charts", async () => {
    const predict = (...args: string[]) =>
      folder.ferkit("predict", "b.png", "--model", "shapes", "--top", "2", ...args);
    assert.match((await predict()).stdout, /b\.png( {2}\w+ \d+\.\d%){2}\n$/);
    const [line] = (await predict("--json")).stdout.split("\n");
    assert.equal(JSON.parse(line).predictions.length, 2);
    await predict("--chart", "top.svg");
    const svg = readFileSync(folder.file("top.svg"), "utf8");
    assert.equal(svg.match(/>\d+\.\d%</g)?.length, 2);
  });

  describe("with a model of expressions", () => {
    const STATED = /^The model predicts facial expressions, so faces are searched\. Add --no-faces /;

    it("finds faces in photographs by default, and says so", async () => {
      const photo = await folder.ferkit("predict", ASTRONAUT, "b.png", "--model", "expressions");
      assert.match(photo.stderr, STATED);
      const [found, face, whole] = photo.stdout.split("\n");
      assert.match(found, /astronaut\.jpg {2}1 face$/);
      assert.match(face, /^ {2}1 {2}\d+×\d+ at \d+,\d+ {2}(happy|neutral|sad) /);
      assert.match(whole, /b\.png {2}(happy|neutral|sad) /); // small images are taken for faces
    });

    it("classifies whole images with --no-faces, and for a model of other classes", async () => {
      for (const args of [
        ["--model", "expressions", "--no-faces"],
        ["--model", "shapes"],
      ]) {
        const { stdout, stderr } = await folder.ferkit("predict", ASTRONAUT, ...args);
        assert.match(stdout, /astronaut\.jpg {2}\w+ \d+\.\d% /);
        assert.equal(stderr, "");
      }
    });
  });

  it("takes a bundled model by default or by its name, and says which", async () => {
    const predicted = async (...args: string[]) => {
      const { stdout, stderr } = await folder.ferkit("predict", "b.png", "--no-faces", "--json", ...args);
      return [path.relative(projectDir, JSON.parse(stdout).model), stderr];
    };
    const note =
      "note: the bundled model ferplus is used, which predicts facial expressions; --model fer2013 takes the other bundled one.\n";
    assert.deepEqual(await predicted(), ["models/ferplus", note]);
    assert.deepEqual(await predicted("--model", "fer2013"), ["models/fer2013", ""]);
    writeFiles(folder.path, { "runs/mine/best/model.json": "{}" });
    const own = note.replace("; ", "; --model runs/mine/best takes that of your run, and ");
    assert.deepEqual(await predicted(), ["models/ferplus", own]);
  });
});
