import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { convertCheckpoint } from "../../../src/model/weights/checkpoint.js";
import { readSafetensors } from "../../../src/model/weights/safetensors.js";
import type { FileTensor } from "../../../src/model/weights/state-dict.js";
import { projectDir } from "../../source-files.js";
import { checkpointBytes, checkpointHead, dictionary, integer, pickle, text } from "./weight-files.js";

/** Made by torch (test/golden/make_checkpoints.py). */
const GOLDEN = path.join(projectDir, "test/golden/checkpoints");
const PYTHON = path.join(projectDir, ".venv/bin/python");
const AGAIN = "Download the file again or choose another one.";

describe("convertCheckpoint", function () {
  this.timeout(600_000);
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-convert-"));
    file = path.join(folder, "a.pth");
  });
  after(() => rm(folder, { recursive: true }));

  const convert = async (source: string) => readSafetensors(await convertCheckpoint(source), source).tensors;
  const convertBytes = async (bytes: Buffer) => {
    await writeFile(file, bytes);
    return convert(file);
  };
  const refusal = (found: string, expected = "a torch checkpoint or a Keras file", fix = AGAIN) => ({
    name: "InputError",
    message: `Expected ${expected} at ${file} but found ${found}. ${fix}`,
  });

  for (const form of ["zip", "legacy"])
    it(`reads each kind of tensor that torch wrote, in its order: ${form}`, async () => {
      const tensor = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });
      assert.deepEqual(
        [...(await convert(path.join(GOLDEN, `${form}.pth`)))],
        Object.entries({
          weight: tensor([2, 3], 1, 2, 3, 4, 5, 6),
          transposed: tensor([3, 2], 1, 4, 2, 5, 3, 6),
          tail: tensor([2], 5, 6),
          channels_last: tensor([1, 2, 2, 2], 0, 1, 2, 3, 4, 5, 6, 7),
          parameter: tensor([2], 0.5, -0.5),
          half: tensor([2], 0.25, 3),
          bfloat16: tensor([2], 0.25, 3),
          double: tensor([2], 0.25, 3),
          steps: { ...tensor([], 7), integers: "I64" },
        }),
      );
    });

  it("does not take a full disk for temporary files for a damaged file", function () {
    const script =
      'mount -t tmpfs -o size=8k tmpfs "$1" && { head -c 9000 /dev/zero > "$1/fill"; exec "$2" -I "$3" "$4" "$1/a.safetensors"; }';
    const program = path.join(projectDir, "scripts/convert_checkpoint.py");
    const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder];
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      [...unshare, PYTHON, program, path.join(GOLDEN, "zip.pth")],
      { encoding: "utf8" },
    );
    if (/unshare|mount/.test(stderr)) this.skip(); // this machine lets no process mount a disk of its own
    assert.equal(status, 2, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      expected: "to write",
      found: "a full disk",
      fix: "Make room there, or choose another folder for temporary files with TMPDIR.",
      where: folder,
    });
  });

  it("reads a module that was saved whole, under the names of its state dictionary", async () => {
    const tensors = await convert(path.join(GOLDEN, "module.pth"));
    assert.deepEqual(tensors.get("conv.weight"), { shape: [2, 1, 1, 1], data: Float32Array.of(1, 2) });
    assert.deepEqual([...tensors.keys()].sort(), [
      "conv.bias",
      "conv.weight",
      "norm.bias",
      "norm.num_batches_tracked",
      "norm.running_mean",
      "norm.running_var",
      "norm.weight",
    ]);
  });

  it("names the tensors of nested dictionaries by their path, and passes over other data", async () => {
    const source = path.join(GOLDEN, "nested.pth");
    const { tensors, metadata } = readSafetensors(await convertCheckpoint(source), source);
    assert.equal(metadata["ferkit.architecture"], "tf_efficientnet_lite0");
    assert.equal(metadata["ferkit.scale"], "[[0.5, 0.25, 0.125], [1.0, 2.0, 4.0]]");
    const names = [...tensors.keys()];
    assert.ok(names.includes("state_dict.conv.weight"), names.join());
    assert.ok(names.includes("optimizer.state.0.exp_avg"), names.join());
    assert.equal(names.filter((name) => name.startsWith("state_dict.")).length, 7);
  });

  it("reads what a training saved beside its weights: names of classes, and settings by timm's names", async () => {
    const tensors = new Map([["weight", { shape: [1], data: Float32Array.of(1) }]]);
    const trainingOf = async (...more: Buffer[]) => {
      await writeFile(file, checkpointBytes(tensors, undefined, more));
      const { metadata } = readSafetensors(await convertCheckpoint(file), file);
      return metadata["ferkit.training"] && JSON.parse(metadata["ferkit.training"]);
    };
    const numbers = dictionary(text("dog"), integer(1), text("cat"), integer(0));
    const args = dictionary(
      text("gp"),
      text("max"),
      text("crop_mode"),
      text("squash"),
      text("epochs"),
      integer(3),
    );
    assert.deepEqual(await trainingOf(text("class_to_idx"), numbers, text("args"), args), {
      global_pool: "max",
      crop_mode: "squash",
      class_names: { dog: 1, cat: 0 },
    });
    const names = dictionary(integer(0), text("cat"), integer(1), text("dog"));
    const inside = dictionary(text("classes"), Buffer.from("]"), text("idx_to_class"), names);
    assert.deepEqual(await trainingOf(text("hyper_parameters"), inside), {
      class_names: { 0: "cat", 1: "dog" },
    });
    assert.equal(await trainingOf(text("epoch"), integer(3)), undefined);
  });

  it("refuses a pickle that calls a function of Python's, and runs nothing", async () => {
    const command = text(`touch ${folder}/planted`);
    const planted = [pickle("cposix\nsystem\n", command, "\x85R")];
    planted.push(
      Buffer.concat([checkpointHead(), pickle("}", text("weight"), planted[0].subarray(2, -1), "s")]),
    );
    for (const bytes of planted)
      await assert.rejects(
        convertBytes(bytes),
        refusal(
          "a call of posix.system",
          "nothing but data in a checkpoint",
          "Remove the file and take the weights from their publisher: it asks to run code, of which none was run.",
        ),
      );
    await assert.rejects(
      convertBytes(pickle("ccommands\nPopen\n", command, "\x85R")), // subprocess, by its name in Python 2
      /found a call of subprocess\.Popen\. /,
    );
    assert.equal(existsSync(path.join(folder, "planted")), false);
  });

  it("says what it found in other pickles and archives", async () => {
    const matrix: FileTensor = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const large = { shape: [2 ** 20, 2 ** 20], data: Float32Array.of(1) };
    const laidOut = (tensor: FileTensor, offset: number, strides: number[]) =>
      checkpointBytes(new Map([["weight", tensor]]), () => ({ offset, strides }));
    const cut = (bytes: Buffer) => `the end of the file after ${bytes.length} bytes; it is cut short`;
    const whole = laidOut(matrix, 0, [3, 1]);
    const cases: [Buffer, string][] = [
      [Buffer.concat([checkpointHead(), pickle("]"), pickle("]")]), "no tensors"],
      [laidOut(matrix, 1, [3, 1]), "a tensor outside its storage"],
      [laidOut(large, 0, [0, 0]), "a tensor outside its storage"],
      [laidOut(matrix, 5, [-3, -1]), "a tensor without storage, shape or strides"],
      [whole.subarray(0, -4), cut(whole.subarray(0, -4))],
      [Buffer.from("PK\x03\x04\0\0\x08\x08\0\0"), "the end of the file after 10 bytes; it is cut short"],
    ];
    for (const [bytes, found] of cases) await assert.rejects(convertBytes(bytes), refusal(found));
    await assert.rejects(
      convertBytes(pickle("K\x01")),
      /found a pickle that torch\.save did not write\. Save the weights with torch\.save, or choose another file\.$/,
    );
  });

  describe("with a small file that asks for much", () => {
    const RATIO = "that take more than 16 times the file's size";
    const files: [name: string, what: string, found: string][] = [
      ["views.pth", "a storage that is viewed many times", `views of its numbers ${RATIO}`],
      ["nested.pth", "lists that hold each other", "data that is nested too deeply"],
      ["deep.pth", "deep nesting", "data that is nested too deeply"],
      ["zeros.pth", "zeros that are compressed a thousand times", `entries of the archive ${RATIO}`],
      ["huge.h5", "an array that is not in the file", `arrays ${RATIO}`],
      ["outside.h5", "an array in another file", "numbers of layers/dense/vars/0 in another file"],
      ["zeros.keras", "a Keras file of compressed zeros", `entries of the archive ${RATIO}`],
    ];
    before("writes them", () => {
      const program = path.join(projectDir, "test/model/weights/make_greedy_files.py");
      execFileSync(PYTHON, ["-I", program, folder]);
    });
    for (const [name, what, found] of files)
      it(`refuses ${what}`, async () => {
        const source = path.join(folder, name);
        await assert.rejects(convertCheckpoint(source), {
          name: "InputError",
          message: `Expected a torch checkpoint or a Keras file at ${source} but found ${found}. ${AGAIN}`,
        });
      });
  });

  for (const form of ["legacy", "zip"])
    it(`refuses a damaged file or reads it, whichever byte is wrong: ${form}`, () => {
      const program = path.join(projectDir, "test/model/weights/damaged_checkpoints.py");
      const checkpoint = path.join(GOLDEN, `${form}.pth`);
      const counts = execFileSync(
        PYTHON,
        ["-I", "-W", "ignore", program, path.join(projectDir, "scripts"), checkpoint],
        { encoding: "utf8" },
      );
      const { refused, read } = JSON.parse(counts) as { refused: number; read: number };
      assert.ok(refused > 1000 && read > 500, counts);
    });
});
