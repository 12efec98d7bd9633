import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { conventions } from "../../../src/model/conventions.js";
import { parameterSpecs } from "../../../src/model/parameters.js";
import { NAMINGS } from "../../../src/model/weights/names.js";
import { type FileTensor, readStateDict } from "../../../src/model/weights/state-dict.js";
import { readWeightFile, type WeightFileOptions } from "../../../src/model/weights/weight-file.js";
import { checkpointBytes, fileTensors, safetensorsBytes, sorted, timmTensors } from "./weight-files.js";

describe("readWeightFile", () => {
  const lite0 = timmTensors("lite0");
  const bytes = safetensorsBytes(lite0);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-weight-file-"));
    file = path.join(folder, "weights.bin");
  });
  afterEach(() => rm(folder, { recursive: true }));
  const read = async (content: Uint8Array, options?: WeightFileOptions) => {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    return readWeightFile(file, "lite0", options);
  };
  const refusal = (expected: string, found: string, fix: string) => ({
    name: "InputError",
    message: `Expected ${expected} at ${file} but found ${found}. ${fix}`,
  });
  const unknown = () =>
    `${file} does not say which family its weights are of: timm's tf_efficientnet models and its other efficientnet models have ` +
    "the same names, but other padding and epsilon. TensorFlow's are taken; --family pytorch (in training, " +
    "weightsFamily=pytorch) takes the others'.";

  it("reads the same parameters from a torch checkpoint and from safetensors", async () => {
    const expected = readStateDict(lite0, "lite0", file).parameters;
    assert.deepEqual((await read(checkpointBytes(lite0))).parameters, expected);
    assert.deepEqual((await read(safetensorsBytes(sorted(lite0)))).parameters, expected);
  });

  for (const [format, write, type] of [
    ["safetensors", safetensorsBytes, "I32"],
    [".pth", checkpointBytes, "I64"],
  ] as const)
    it(`refuses weights that are integers in ${format}`, async () => {
      const own = lite0.get("bn1.weight") as FileTensor;
      const integers = new Map([...lite0, ["bn1.weight", { ...own, integers: "I32" }]]);
      await assert.rejects(
        read(write(integers)),
        refusal(
          "weights in floating-point numbers",
          `integers (${type}) for bn1.weight, as in a quantized network`,
          "Save the network in float32 or float16, with its quantization undone.",
        ),
      );
    });

  it("knows safetensors whose length begins like another format", async () => {
    const own = safetensorsBytes(lite0, { pad: "" }).readUInt32LE();
    const beginnings = { pickle: 0x6780, "pickle's protocol": 0x1_0280, zip: 0x1_4b50, HDF5: 0x1_4889 };
    for (const [format, length] of Object.entries(beginnings)) {
      const padded = safetensorsBytes(lite0, { pad: "x".repeat(length - own) });
      assert.equal(padded.readUInt32LE(), length);
      assert.equal((await read(padded)).parameters.size, parameterSpecs("lite0", 1000).length, format);
      const found = `a header of ${length} bytes in a file of 100`;
      const fix = "Download the file again or choose another one.";
      await assert.rejects(read(padded.subarray(0, 100)), refusal("a safetensors file", found, fix));
    }
  });

  it("notes kernels of zeros", async () => {
    const zeros = (name: string): [string, FileTensor] => {
      const { shape, data } = lite0.get(name) as FileTensor;
      return [name, { shape, data: new Float32Array(data.length) }];
    };
    const notesOf = async (names: string[]) =>
      (await read(safetensorsBytes(new Map([...lite0, ...names.map(zeros)])))).notes;
    assert.deepEqual(await notesOf(["conv_head.weight"]), [
      `${file}: 1 of 50 kernels hold nothing but zeros: top_conv/kernel.`,
      unknown(),
    ]);
    const [first] = await notesOf([...lite0.keys()]);
    assert.equal(
      first,
      `${file}: all 50 kernels hold nothing but zeros: stem_conv/kernel, block1a_dwconv/depthwise_kernel, block1a_project_conv/kernel and 47 more.`,
    );
  });

  it("says that the family is not known, and takes TensorFlow's", async () => {
    const { conventions: found, notes } = await read(bytes);
    assert.deepEqual(found, conventions("lite0"));
    assert.deepEqual(notes, [unknown()]);
  });

  it("takes the family that it is told", async () => {
    const { conventions: found, notes } = await read(bytes, { family: "pytorch" });
    assert.deepEqual(found, conventions("lite0", "pytorch"));
    assert.deepEqual(notes, []);
    const own = {
      padding: "even",
      epsilon: 0.5,
      preprocessing: { mean: [1, 2, 3], std: [4, 5, 6] },
    } as const;
    const { conventions: given } = await read(bytes, {
      ...own,
      preprocessing: { mean: [1, 2, 3], std: [4, 5, 6] },
    });
    assert.deepEqual(given, own);
  });

  it("knows the family, mean and deviation from timm's config.json", async () => {
    const config = {
      architecture: "efficientnet_lite0",
      pretrained_cfg: { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 1] },
    };
    await writeFile(path.join(folder, "config.json"), JSON.stringify(config));
    const { conventions: found, notes } = await read(bytes);
    assert.deepEqual(found, {
      padding: "symmetric",
      epsilon: 1e-5,
      preprocessing: { mean: [127.5, 102, 76.5], std: [25.5, 51, 255] },
    });
    assert.deepEqual(notes, []);
    await writeFile(
      path.join(folder, "config.json"),
      JSON.stringify({ architecture: "tf_efficientnet_lite0" }),
    );
    const tensorflow = await read(bytes);
    assert.deepEqual([tensorflow.conventions, tensorflow.notes], [conventions("lite0"), []]);
    const changed = { architecture: "tf_efficientnet_lite0", model_args: { pad_type: "", bn_eps: 0.25 } };
    await writeFile(path.join(folder, "config.json"), JSON.stringify(changed));
    const { conventions: own } = await read(bytes);
    assert.deepEqual([own.padding, own.epsilon], ["symmetric", 0.25]);
    await writeFile(path.join(folder, "config.json"), Buffer.from([0x7b, 0xe9, 0x7d]));
    await assert.rejects(
      read(bytes),
      /^InputError: Expected JSON in UTF-8 at .*config\.json but found line 1 with the byte E9, not in UTF-8\. Save it as UTF-8\.$/,
    );
    await writeFile(path.join(folder, "config.json"), "{");
    assert.deepEqual((await read(bytes)).notes, [unknown()]);
  });

  it("knows the family from metadata, and from names that the hub and timm give to files", async () => {
    const metadata = { architecture: "efficientnet_lite0" };
    assert.equal((await read(safetensorsBytes(lite0, metadata))).conventions.padding, "symmetric");
    const scale = JSON.stringify([
      [0.5, 0.4, 0.3],
      [0.1, 0.2, 1],
    ]);
    const given = safetensorsBytes(lite0, {
      "ferkit.architecture": "tf_efficientnet_lite0",
      "ferkit.scale": scale,
    });
    assert.deepEqual((await read(given)).conventions.preprocessing, {
      mean: [127.5, 102, 76.5],
      std: [25.5, 51, 255],
    });
    const names: [string, string][] = [
      ["models--timm--efficientnet_lite0.ra_in1k/snapshots/1a/model.safetensors", "symmetric"],
      [`efficientnet_lite0_ra-${sha256.slice(0, 8)}.pth`, "symmetric"],
      [`tf_efficientnet_lite0-${sha256.slice(0, 8)}.pth`, "same"],
      ["my-tf_efficientnet_lite0.safetensors", "same"],
    ];
    for (const [name, padding] of names) {
      file = path.join(folder, name);
      const { conventions: found, notes } = await read(bytes);
      assert.deepEqual([found.padding, notes], [padding, []], name);
    }
    file = path.join(folder, "efficientnet_lite0.safetensors"); // anyone's name
    assert.deepEqual((await read(bytes)).notes, [unknown()]);
  });

  it("knows mean and deviation of B0 to B8 from published names, and says so otherwise", async () => {
    const [timm, , lukemelas] = NAMINGS;
    const files = [timm, lukemelas].map((naming) => safetensorsBytes(fileTensors("b0", 2, naming)));
    const cases: [name: string, naming: 0 | 1, mean: number, isKnown: boolean][] = [
      ["models--timm--tf_efficientnet_b0.ap_in1k/snapshots/1a/model.safetensors", 0, 127.5, true],
      ["models--timm--efficientnet_b0.ra4_e3600_r224_in1k/snapshots/1a/model.safetensors", 0, 127.5, true],
      ["models--timm--tf_efficientnet_b0.ns_jft_in1k/snapshots/1a/model.safetensors", 0, 123.675, true],
      ["models--timm--efficientnet_b0.new_in1k/snapshots/1a/model.safetensors", 0, 123.675, false],
      ["tf_efficientnet_b0_ap-f262efe1.safetensors", 0, 127.5, true],
      ["adv-efficientnet-b0-b64d5a18.safetensors", 1, 127.5, true],
      ["efficientnet-b0-355c32eb.safetensors", 1, 123.675, true],
      ["mine.safetensors", 1, 123.675, false],
    ];
    for (const [name, naming, mean, isKnown] of cases) {
      file = path.join(folder, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, files[naming]);
      const { conventions: found, notes } = await readWeightFile(file, "b0");
      assert.equal(found.preprocessing.mean[0], mean, name);
      const note =
        `${file} does not say which mean and deviation its weights were trained with; ImageNet's are taken. --mean and --std of ` +
        "`ferkit convert` take others, such as 0.5 and 0.5 for those of AdvProp, or 0 and 1 for pixels that were only divided by 255.";
      assert.equal(notes.includes(note), !isKnown, name);
    }
    const told = await readWeightFile(file, "b0", { preprocessing: { mean: [1, 2, 3], std: [4, 5, 6] } });
    assert.deepEqual(told.notes, []);
  });

  it("compares the digest in a publisher's name, and that of a blob in the hub's cache", async () => {
    file = path.join(folder, "tf_efficientnet_lite0-0aa007d2.pth");
    assert.deepEqual((await read(bytes)).notes, [
      `${file} is another file than its publisher's if 0aa007d2 in its name is the start of a SHA-256, as usual: its own begins with ${sha256.slice(0, 8)}.`,
    ]);
    file = path.join(folder, "efficientnet-20251128.pth"); // a date
    assert.deepEqual((await read(bytes)).notes, [unknown()]);
    const [right, wrong] = [sha256, sha256.replace(/./g, "0")].map((name) => path.join(folder, name));
    for (const blob of [right, wrong]) await writeFile(blob, bytes);
    file = path.join(folder, "model.safetensors");
    await symlink(right, file);
    assert.deepEqual((await readWeightFile(file, "lite0")).notes, [unknown()]);
    await rm(file);
    await symlink(wrong, file);
    await assert.rejects(
      readWeightFile(file, "lite0"),
      refusal(
        `a file of SHA-256 ${path.basename(wrong)}, as its name says`,
        sha256,
        "Remove it, and download it again.",
      ),
    );
  });

  it("knows the family from torchvision's names", async () => {
    const torchvision = NAMINGS.find(({ publisher }) => publisher === "torchvision");
    const tensors = fileTensors("b0", 7, torchvision as (typeof NAMINGS)[0]);
    await writeFile(file, safetensorsBytes(tensors));
    const { conventions: found, notes } = await readWeightFile(file, "b0");
    assert.deepEqual([found, notes], [conventions("b0", "torchvision"), []]);
  });

  it("says for a network that was fine-tuned which scale is taken, and what timm would show it", async () => {
    const torchvision = NAMINGS.find(({ publisher }) => publisher === "torchvision");
    const tensors = fileTensors("b0", 7, torchvision as (typeof NAMINGS)[0]);
    const training = { "ferkit.training": JSON.stringify({ crop_pct: 0.875 }) };
    await writeFile(file, safetensorsBytes(tensors, training));
    const end =
      "`ferkit convert` take others, such as 0.5 and 0.5 for those of AdvProp, or 0 and 1 for pixels that were only divided by 255.";
    const guessed = (taken: string) =>
      `${file} does not say which mean and deviation its weights were trained with; ${taken} are taken. --mean and --std of ${end}`;
    assert.deepEqual((await readWeightFile(file, "b0", { needsLastLayer: true })).notes, [
      guessed("ImageNet's"),
      `${file}: timm shows this network the central 87.5% of a square image (crop_pct), and ferkit all of it, so probabilities differ. ` +
        "Crop images before to have timm's.",
    ]);
    const lite = { family: "tensorflow", needsLastLayer: true } as const;
    assert.deepEqual((await read(bytes, lite)).notes, [guessed("0.5 and 0.5")]);
    file = path.join(folder, `tf_efficientnet_lite0-${sha256.slice(0, 8)}.pth`);
    assert.deepEqual((await read(bytes, lite)).notes, []);
  });
  it("takes the mean of the channels' scales for a network of one channel, and says so", async () => {
    const kernel: FileTensor = { shape: [32, 1, 3, 3], data: new Float32Array(32 * 9).fill(1) };
    const grey = safetensorsBytes(new Map([...lite0, ["conv_stem.weight", kernel]]));
    const { conventions: found, isGrey, notes } = await read(grey, { family: "pytorch" });
    assert.ok(isGrey);
    // 255 · (0.485 + 0.456 + 0.406) / 3
    for (const mean of found.preprocessing.mean) assert.ok(Math.abs(mean - 114.495) < 1e-9);
    assert.deepEqual(notes, [
      `${file} comes from a network with one channel, for which the means of the channels' mean and std are taken. ` +
        "--mean and --std take others.",
    ]);
    assert.deepEqual((await read(grey, { family: "tensorflow" })).notes, []);
  });

  it("says that a file is cut short", async () => {
    const missing = "the end of the file within classifier.bias; it is cut short by 4 bytes";
    const fix = "Download the file again or choose another one.";
    await assert.rejects(read(bytes.subarray(0, -4)), refusal("a safetensors file", missing, fix));
  });

  it("refuses a file of another format", async () => {
    const expected = "safetensors, a torch checkpoint or a Keras file";
    for (const content of ["<html>no such page</html>", "version https://git-lfs.github.com/spec/v1", ""])
      await assert.rejects(
        read(Buffer.from(content)),
        refusal(expected, `none of them in ${content.length} bytes`, "Choose another file."),
      );
  });

  it("refuses deviations of 0, which pixels would be divided by", async () => {
    const pretrained_cfg = { mean: [0.5, 0.4, 0.3], std: [0.1, 0, 1] };
    const beside = path.join(folder, "config.json");
    await writeFile(beside, JSON.stringify({ architecture: "efficientnet_lite0", pretrained_cfg }));
    await assert.rejects(read(bytes), {
      name: "InputError",
      message: `Expected deviations of the channels above 0 at ${beside} but found 0.1, 0, 1. Fix the file, or choose other weights.`,
    });
  });

  it("does not wait for a named pipe", async () => {
    execFileSync("mkfifo", [file]);
    await assert.rejects(
      readWeightFile(file, "lite0"),
      refusal("a file of weights that can be read", "a named pipe", "Fix the file, or choose another one."),
    );
  });

  it("says that there is no such file, or why it cannot be read", async () => {
    const fix = "Choose a file, the folder `best` of a run, or `imagenet` for the published weights.";
    await assert.rejects(
      readWeightFile(file, "lite0"),
      refusal("a file of weights or a model folder", "no such path", fix),
    );
    await assert.rejects(readWeightFile("imagnet", "lite0"), /found no such path\. Did you mean imagenet\?$/);
    await mkdir(file);
    await assert.rejects(
      readWeightFile(file, "lite0"),
      refusal("a file of weights that can be read", "a folder", "Fix the file, or choose another one."),
    );
  });

  it("reads Keras' arrays under the numbers of their layers", async () => {
    const keras = NAMINGS.find(({ publisher }) => publisher === "Keras") as (typeof NAMINGS)[0];
    const tensors = fileTensors("b0", 7, keras);
    const nested = new Map(
      [...tensors].map(([name, tensor]): [string, FileTensor] => [
        name.startsWith("dense/") ? `layers/${name}` : `layers/functional/layers/${name}`,
        tensor,
      ]),
    );
    const metadata = { "ferkit.keras": JSON.stringify({ padding: "even" }) };
    await writeFile(file, safetensorsBytes(nested, metadata));
    const {
      parameters,
      conventions: found,
      notes,
    } = await readWeightFile(file, "b0", { needsLastLayer: true });
    assert.deepEqual(parameters.size, parameterSpecs("b0", 7).length);
    assert.deepEqual([found.padding, found.epsilon, notes], ["even", 1e-3, []]);
    await writeFile(file, safetensorsBytes(nested));
    assert.deepEqual((await readWeightFile(file, "b0", { needsLastLayer: true })).notes, [
      `${file} does not say for which input size its network was built; one of a fixed size is assumed. ` +
        "For one of any size, (None, None, 3), choose --padding even. Nor does it say which layers without weights are around the " +
        "network, such as another pooling; none are assumed. The .keras file of a functional or sequential model says both.",
    ]);
    const norm = { shape: [1280], data: new Float32Array(1280) };
    await writeFile(
      file,
      safetensorsBytes(new Map([...nested, ["layers/batch_normalization/vars/0", norm]])),
    );
    await assert.rejects(
      readWeightFile(file, "b0", { needsLastLayer: true }),
      refusal(
        "weights of EfficientNet b0 with its last layer, and no other layers",
        "layers/batch_normalization/vars/0 of shape [1280] beside it",
        "Save the whole functional or sequential model as .keras, which says what its layers do.",
      ),
    );
    const left = (names: string) =>
      `${file}: left out, since a training starts from the network alone: ${names}.`;
    assert.ok((await readWeightFile(file, "b0")).notes.includes(left("layers/batch_normalization/vars/0")));
    const lstm = { shape: [1280, 64], data: new Float32Array(1280 * 64) };
    await writeFile(file, safetensorsBytes(new Map([...nested, ["layers/lstm/cell/vars/0", lstm]])));
    await assert.rejects(
      readWeightFile(file, "b0", { needsLastLayer: true }),
      refusal(
        "weights of EfficientNet b0 with its last layer, and no other layers",
        "layers/lstm/cell/vars/0 of shape [1280,64] beside it",
        "Choose other weights, or train a last layer: npx ferkit train --set weights=PATH",
      ),
    );
    const folded = { "ferkit.keras": JSON.stringify({ padding: "same", folded: ["dense", "dense_1"] }) };
    await writeFile(file, safetensorsBytes(nested, folded));
    assert.deepEqual((await readWeightFile(file, "b0")).notes, [left("dense, dense_1")]);
    assert.deepEqual((await readWeightFile(file, "b0", { needsLastLayer: true })).notes, []);
  });

  it("leaves out last layers of a Keras file that are none of ferkit's, and says what it left out before the network", async () => {
    const keras = {
      head: "the layer GlobalMaxPooling2D pool",
      epsilon: 0.01,
      notes: ["the layer R is left out"],
    };
    const metadata = { "ferkit.keras": JSON.stringify({ padding: "same", ...keras }) };
    const tensors = fileTensors("b0", 2, NAMINGS.at(-1) as (typeof NAMINGS)[0]); // Keras' names of layers
    for (const name of ["predictions/kernel", "predictions/bias"]) tensors.delete(name);
    await writeFile(file, safetensorsBytes(tensors, metadata));
    const { conventions: found, notes } = await readWeightFile(file, "b0");
    assert.equal(found.epsilon, 0.01);
    assert.deepEqual(notes, [
      `${file}: the layer R is left out.`,
      `${file}: its last layers are left out, since ferkit's network cannot have them: the layer GlobalMaxPooling2D pool.`,
    ]);
    await assert.rejects(
      readWeightFile(file, "b0", { needsLastLayer: true }),
      refusal(
        "last layers that amount to a mean over positions, a dense layer and softmax",
        "the layer GlobalMaxPooling2D pool",
        "Choose other weights, or train a last layer: npx ferkit train --set weights=PATH",
      ),
    );
  });
});
