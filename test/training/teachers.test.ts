import assert from "node:assert/strict";
import path from "node:path";
import { type Tensor2D, tf } from "../../src/engine/tf.js";
import { resizeToInput } from "../../src/model/network.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { ofType } from "../../src/training/events.js";
import { Teachers } from "../../src/training/teachers.js";
import { randomImages, randomNetwork, TINY } from "../model/fixtures.js";
import { collect, runFolder } from "./fixtures.js";
import { countTensors, near, take } from "./tensors.js";

/** Saves a network with fresh weights and returns what it says of images. */
async function saveTeacher(
  dir: string,
  seed: number,
  imageSize = TINY.imageSize,
  classNames = TINY.classNames,
) {
  const network = randomNetwork({ imageSize, classNames }, seed);
  await saveModel(dir, network.config, await network.parameters());
  const images = randomImages(2, TINY.imageSize);
  const probs = tf.tidy(() => tf.softmax(network.logits(resizeToInput(images, { imageSize }))));
  tf.dispose(images);
  network.dispose();
  return take(probs);
}

describe("Teachers", function () {
  this.timeout(60_000);
  const folder = runFolder();
  beforeEach(() => saveTeacher(folder.dir, 0)); // kernels keep constants from their first use on
  countTensors();

  it("are none where there are no folders", async () => {
    assert.equal(await Teachers.load([], 0.5, TINY.classNames), null);
  });

  it("give their mean probabilities, each at its own image size, the share of the targets that is theirs", async () => {
    const dirs = ["a", "b"].map((name) => path.join(folder.dir, name));
    const first = await saveTeacher(dirs[0], 1);
    const second = await saveTeacher(dirs[1], 2, 48);
    const teachers = (await Teachers.load(dirs, 0.75, TINY.classNames)) as Teachers;
    const images = randomImages(2, TINY.imageSize);
    const targets = tf.tensor2d([1, 0, 0, 0, 0, 1], [2, 3]) as Tensor2D;
    const taught = take(teachers.teach(images, targets));
    near(
      taught,
      [1, 0, 0, 0, 0, 1].map((target, i) => 0.25 * target + (0.75 * (first[i] + second[i])) / 2),
    );
    tf.dispose([images, targets]);
    teachers.dispose();
  });

  it("must have the same classes", async () => {
    const dir = path.join(folder.dir, "a");
    await saveTeacher(dir, 1);
    await assert.rejects(Teachers.load([dir], 0.5, ["circle", "square"]), {
      name: "InputError",
      message:
        `Expected a teacher of the classes circle, square at ${dir} but found circle, square, triangle. ` +
        "Give another model folder for `teachers`.",
    });
  });
});

describe("train with teachers", function () {
  this.timeout(60_000);
  const folder = runFolder();

  it("learns from them, and leaves no tensor", async () => {
    const teacher = path.join(folder.dir, "teacher");
    await saveTeacher(teacher, 3, 40, ["across", "down"]);
    const lossesOf = async (name: string, teachers: string[]) =>
      ofType(await collect(path.join(folder.dir, name), { epochs: 1, teachers }), "batch").map(
        ({ loss }) => loss,
      );
    const alone = await lossesOf("alone", []);
    const { numTensors } = tf.memory();
    const taught = await lossesOf("taught", [teacher]);
    assert.notDeepEqual(taught, alone);
    assert.deepEqual(await lossesOf("again", [teacher]), taught);
    assert.equal(tf.memory().numTensors, numTensors);
  });
});
