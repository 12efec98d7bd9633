import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import {
  type CreateOptions,
  createNetwork,
  type ImportOptions,
  importNetwork,
} from "../../src/model/create.js";
import { VARIANTS } from "../../src/model/efficientnet.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { NAMINGS } from "../../src/model/weights/names.js";
import type { FileTensor } from "../../src/model/weights/state-dict.js";
import { printedLines } from "../workspace.js";
import { randomNetwork } from "./fixtures.js";
import { fileTensors, safetensorsBytes, timmTensors } from "./weights/weight-files.js";

describe("a network from a file of weights", () => {
  let folder: string;
  let file: string;
  const lite0 = timmTensors("lite0", 3);
  const grey: FileTensor = { shape: [32, 1, 3, 3], data: new Float32Array(32 * 9).fill(1) };
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "ferkit-create-"));
    file = path.join(folder, "weights.safetensors");
  });
  after(() => rmSync(folder, { recursive: true }));
  const write = (tensors: Map<string, FileTensor>) => writeFileSync(file, safetensorsBytes(tensors));
  const options = { variant: "lite0", classNames: ["a", "b", "c"], imageSize: 40 } as const;

  describe("createNetwork", () => {
    const create = async (given: Partial<CreateOptions> = {}) => {
      const notes: string[] = [];
      const onNote = (note: string) => void notes.push(note);
      const all = { ...options, classNames: ["x", "y"], weights: file, seed: 0, onNote, ...given };
      const network = await createNetwork(all);
      const parameters = await network.parameters();
      network.dispose();
      return { config: network.config, parameters, notes };
    };

    it("computes by the family that is given, and replaces a last layer of other classes", async () => {
      write(lite0);
      const { config, parameters, notes } = await create({ weightsFamily: "pytorch" });
      assert.deepEqual([config.padding, config.epsilon], ["symmetric", 1e-5]);
      assert.deepEqual(config.preprocessing.mean, [123.675, 116.28, 103.53]);
      assert.deepEqual(parameters.get("predictions/kernel")?.shape, [1280, 2]);
      assert.deepEqual(parameters.get("stem_bn/beta")?.data, lite0.get("bn1.bias")?.data);
      assert.deepEqual(notes, []);
    });

    it("refuses two classes of one name, which no output could tell apart", async () => {
      await assert.rejects(create({ classNames: ["a", "b", "a"], weights: "random" }), {
        name: "InputError",
        message:
          "Expected names of classes, each once but found a twice. Fix the names (classNames, or --classes).",
      });
    });

    it("refuses settings that a program without types got wrong", async () => {
      const cases: [object, string][] = [
        [{ fit: "stretch" }, "Expected one of crop, pad, squash for fit but received stretch of type string"],
        [{ weights: undefined }, "Expected a path for weights but received undefined of type undefined"],
        [
          { variant: "lite9" },
          `Did you mean lite0? Expected one of ${Object.keys(VARIANTS).join(", ")} for variant but received lite9 of type string`,
        ],
      ];
      for (const [change, message] of cases)
        await assert.rejects(create(change as never), { name: "ParameterError", message });
    });

    it("keeps how images become square, as a training configuration says it", async () => {
      assert.deepEqual((await create({ fit: "pad" })).config.decoding, { fit: "pad" });
      assert.equal((await create({ fit: "crop" })).config.decoding, undefined);
      const decoding = { fit: "squash" } as const;
      assert.deepEqual((await create({ fit: "pad", decoding })).config.decoding, decoding);
    });

    it("keeps that no image is mirrored", async () => {
      const { config } = await create({ augment: { horizontalFlip: 0 } });
      assert.equal(config.horizontalFlip, 0);
      for (const given of [{}, { augment: { horizontalFlip: 0.5 } }])
        assert.ok(!("horizontalFlip" in (await create(given)).config));
    });

    it("notes what was guessed, and keeps no convention that is TensorFlow's", async () => {
      write(new Map([...lite0, ["conv_stem.weight", grey]]));
      const { config, notes } = await create();
      assert.deepEqual(Object.keys(config), ["variant", "classNames", "imageSize", "preprocessing"]);
      assert.equal(notes.length, 2);
      assert.match(notes[0], /does not say which family its weights are of/);
      assert.equal(
        notes[1],
        `${file} comes from a network with one channel: its first kernel is spread over three.`,
      );
    });

    it("names the variant of a model that is another one", async () => {
      const dir = path.join(folder, "model");
      const network = randomNetwork({ ...options, classNames: [...options.classNames] });
      await saveModel(dir, network.config, await network.parameters());
      network.dispose();
      await assert.rejects(create({ weights: dir, variant: "b0" }), {
        name: "InputError",
        message: `Expected weights of EfficientNet b0 at ${dir} but found those of lite0. Choose variant lite0 (--set variant=lite0), or other weights.`,
      });
    });

    it("takes a last layer from nowhere, if the file has none", async () => {
      write(new Map([...lite0].filter(([name]) => !name.startsWith("classifier."))));
      const { parameters } = await create({ weightsFamily: "tensorflow" });
      assert.deepEqual(parameters.get("predictions/kernel")?.shape, [1280, 2]);
    });

    it("keeps the conventions of a model folder", async () => {
      const network = randomNetwork({
        padding: "symmetric",
        epsilon: 1e-5,
        preprocessing: { mean: [1, 2, 3], std: [4, 5, 6] },
      });
      await saveModel(path.join(folder, "model"), network.config, await network.parameters());
      network.dispose();
      const { config } = await create({ weights: path.join(folder, "model") });
      const { padding, epsilon, preprocessing } = network.config;
      assert.deepEqual(
        [config.padding, config.epsilon, config.preprocessing],
        [padding, epsilon, preprocessing],
      );
    });
  });

  describe("importNetwork", () => {
    const printed = printedLines("warn");

    it("turns all images grey for a network of one channel, and says so", async () => {
      write(new Map([...lite0, ["conv_stem.weight", grey]]));
      const notes: string[] = [];
      const onNote = (note: string) => void notes.push(note);
      const network = await importNetwork(file, {
        ...options,
        classNames: [...options.classNames],
        origin: { family: "tensorflow", preprocessing: { mean: [1, 1, 1], std: [4, 4, 4] } },
        decoding: { fit: "crop" },
        onNote,
      });
      assert.equal(network.config.grey, true);
      assert.deepEqual(notes, [`${file} comes from a network with one channel: all images are turned grey.`]);
      network.dispose();
    });

    const importing = async (saved: object, given: Partial<ImportOptions> = {}) => {
      const training = { "ferkit.training": JSON.stringify(saved) };
      writeFileSync(file, safetensorsBytes(lite0, training));
      const notes: string[] = [];
      const scale = { mean: [1, 2, 3], std: [4, 5, 6] };
      const network = await importNetwork(file, {
        ...options,
        classNames: [...options.classNames],
        origin: { family: "tensorflow", preprocessing: scale },
        onNote: (note) => void notes.push(note),
        ...given,
      });
      network.dispose();
      return { config: network.config, notes };
    };

    it("refuses names of classes in another order than the file's, and notes other names", async () => {
      const decoding = { fit: "crop" } as const;
      assert.deepEqual((await importing({ class_names: ["A", "b", "c"] }, { decoding })).notes, []);
      assert.deepEqual((await importing({ class_names: ["b", "a"] }, { decoding })).notes, []); // another layer's names
      await assert.rejects(importing({ class_names: { b: 0, a: 1, c: 2 } }), {
        name: "InputError",
        message:
          `Expected the classes in the order of the outputs, b, a, c, as the file has them, at ${file} but found a, b, c. ` +
          "Fix the order (classNames, or --classes).",
      });
      assert.deepEqual((await importing({ class_names: ["n01", "n02", "n03"] }, { decoding })).notes, [
        `${file} has other names for its classes: n01, n02, n03. Those given must be in the same order: a, b, c.`,
      ]);
    });

    it("takes how images became square from the file or as it is told, and otherwise says what it guesses", async () => {
      const { config, notes } = await importing({});
      assert.equal(config.decoding, undefined);
      assert.deepEqual(notes, [
        `${file} does not say how its training images became square; their central squares are taken. --fit squash takes whole images, ` +
          "as Keras' image_dataset_from_directory and torchvision's Resize((224, 224)) do.",
      ]);
      const known = await importing({ crop_mode: "squash" });
      assert.deepEqual([known.config.decoding, known.notes], [{ fit: "squash" }, []]);
      const told = await importing({ crop_mode: "squash" }, { decoding: { fit: "pad" } });
      assert.deepEqual([told.config.decoding, told.notes], [{ fit: "pad" }, []]);
    });

    it("notes that the file's network had images of another size", async () => {
      const decoding = { fit: "crop" } as const;
      assert.deepEqual((await importing({ image_size: 40 }, { decoding })).notes, []);
      assert.deepEqual((await importing({ image_size: 64 }, { decoding })).notes, [
        `${file} says that its images had 64 pixels a side. With 40 (imageSize, or --image-size), its answers are others.`,
      ]);
    });

    it("refuses mean and deviation on the scale of 0 to 1", async () => {
      const preprocessing = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
      await assert.rejects(importing({}, { origin: { preprocessing } }), {
        name: "ParameterError",
        message:
          "Did you mean [58.395,57.12,57.375]? Expected deviations of 1 or more, on the scale of 0–255, for origin.preprocessing.std but received [0.229,0.224,0.225] of type array",
      });
    });

    it("takes the names of classes that the file has, and asks for them if it has none", async () => {
      const { config } = await importing({ class_names: ["x, y", "z", "u"] }, { classNames: undefined });
      assert.deepEqual(config.classNames, ["x, y", "z", "u"]);
      await assert.rejects(importing({}, { classNames: undefined }), {
        name: "InputError",
        message: `Expected names of classes in the order of the outputs (classNames, or --classes) at ${file} but found none in the file. Add them: --classes cat,dog, or a text file with a name on each line.`,
      });
    });

    it("refuses options of unknown names and values", async () => {
      const cases: [object, string][] = [
        [
          { fit: "squash" },
          "Expected one of variant, classNames, imageSize, grey, decoding, origin, onNote for the name of an option but received fit of type string",
        ],
        [
          { decoding: { fit: "resize" } },
          "Expected one of crop, pad, squash for decoding.fit but received resize of type string",
        ],
        [
          { origin: { family: "google" } },
          "Expected one of tensorflow, pytorch, torchvision for origin.family but received google of type string",
        ],
        [
          { origin: { padding: "valid" } },
          "Expected one of same, symmetric, even for origin.padding but received valid of type string",
        ],
        [
          { origin: { epsilon: -1 } },
          "Expected a number in [0, 1] for origin.epsilon but received -1 of type number",
        ],
        [
          { origin: { preprocessing: { mean: [0], std: [255] } } },
          "Expected three numbers, one for each channel, for origin.preprocessing.mean but received [0] of type array",
        ],
      ];
      for (const [change, message] of cases)
        await assert.rejects(importing({}, change), { name: "ParameterError", message });
    });

    it("pads as efficientnet-pytorch does for one size, or says that it cannot", async () => {
      const [, , lukemelas] = NAMINGS;
      const preprocessing = { mean: [1, 2, 3], std: [4, 5, 6] };
      const told: NonNullable<ImportOptions["origin"]> = { family: "tensorflow", preprocessing };
      const paddingAt = async (imageSize: number, origin = told, variant: "lite0" | "b1" = "lite0") => {
        writeFileSync(file, safetensorsBytes(fileTensors(variant, 3, lukemelas)));
        const notes: string[] = [];
        const onNote = (note: string) => void notes.push(note);
        const given = {
          variant,
          classNames: ["a", "b", "c"],
          imageSize,
          decoding: { fit: "crop" } as const,
        };
        const network = await importNetwork(file, { ...given, origin, onNote });
        network.dispose();
        return [network.architecture.padding, ...notes];
      };
      // 224, 112, 56, 28 and 14 are even, as are 64 to 4; of 48, 24, 12, 6 and 3 the last is not.
      assert.deepEqual(await paddingAt(64), ["same"]);
      const start = `${file}: efficientnet-pytorch pads for images of`;
      assert.deepEqual(await paddingAt(48), [
        "even",
        `${start} 224 pixels by default, and so does ferkit. Choose --padding same if the network was built with image_size=48.`,
      ]);
      assert.deepEqual(await paddingAt(48, { ...told, padding: "same" }), ["same"]);
      // 240, 120, 60 and 30 are even; only 15, the last, is odd.
      assert.deepEqual(await paddingAt(240, told, "b1"), ["same"]);
      assert.deepEqual(await paddingAt(64, told, "b1"), [
        "same",
        `${start} 240 pixels by default, which ferkit does not, so probabilities differ. Choose --image-size 240, or --padding same if the network was built with image_size=64.`,
      ]);
    });

    it("prints notes by default, with what they are", async () => {
      write(lite0);
      const given = { ...options, classNames: [...options.classNames] };
      (await importNetwork(file, given)).dispose();
      (await createNetwork({ ...given, weights: file, seed: 0 })).dispose();
      const start = `note: ${file} does not say `; // the family; then for the whole network also scale and fit
      assert.deepEqual(
        printed.map((text) => text.slice(0, start.length)),
        [start, start, start, start],
      );
    });

    for (const [outputs, fix] of [
      [1, "Choose other weights, or train"],
      [3, "Choose 3 classes (--classes), in the order of the outputs, or train"],
    ] as const)
      it(`refuses a last layer of ${outputs} for two classes`, async () => {
        const kernel = { shape: [outputs, 1280], data: new Float32Array(outputs * 1280) };
        const bias = { shape: [outputs], data: new Float32Array(outputs) };
        write(new Map([...lite0, ["classifier.weight", kernel], ["classifier.bias", bias]]));
        await assert.rejects(importNetwork(file, { ...options, classNames: ["a", "b"] }), {
          name: "InputError",
          message: `Expected a last layer of 2 outputs, one for each class (a, b), at ${file} but found one of ${outputs}. ${fix} a new last layer: npx ferkit train --set weights=PATH`,
        });
      });

    it("takes class names as those of folders are, each once", async () => {
      write(lite0);
      const names = options.classNames.map((_, i) => `cafe\u0301 ${i}`);
      const network = await importNetwork(file, { ...options, classNames: names, onNote: () => {} });
      assert.equal(network.config.classNames[1], "caf\u00e9 1");
      network.dispose();
      for (const [classNames, found] of [
        [["a", "a"], "a twice"],
        [["caf\u00e9", "cafe\u0301"], "caf\u00e9 twice"],
        [["a", ""], "one that is empty"],
      ] as const)
        await assert.rejects(importNetwork(file, { ...options, classNames: [...classNames] }), {
          name: "InputError",
          message: `Expected names of classes, each once but found ${found}. Fix the names (classNames, or --classes).`,
        });
    });

    it("takes the conventions that it is told", async () => {
      write(lite0);
      const preprocessing = { mean: [1, 2, 3], std: [4, 5, 6] };
      const origin = { padding: "even", epsilon: 0.5, preprocessing } as const;
      const told = { ...options, classNames: [...options.classNames], origin, onNote: () => {} };
      const network = await importNetwork(file, told);
      const { config } = network;
      assert.deepEqual([config.padding, config.epsilon, config.preprocessing], ["even", 0.5, preprocessing]);
      network.dispose();
    });
  });
});
