import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { tf } from "../../src/engine/tf.js";
import {
  type FaceOptions,
  type PhotoPrediction,
  predictFaces,
  predictsExpressions,
} from "../../src/faces/predict.js";
import { loadClassifier } from "../../src/inference/classifier.js";
import { classifierInFolder, IMAGE_SIZE } from "../inference/fixtures.js";
import { ASTRONAUT, groupPhoto, HOPPER } from "./photos.js";

describe("predictFaces", () => {
  const given = classifierInFolder();

  async function predictAll(
    inputs: Parameters<typeof predictFaces>[1],
    options: FaceOptions = {},
    classifier = given.classifier,
  ): Promise<PhotoPrediction[]> {
    const photos: PhotoPrediction[] = [];
    for await (const photo of predictFaces(classifier, inputs, options)) photos.push(photo);
    return photos;
  }

  it("classifies each face of a photograph by its crop", async () => {
    const group = await groupPhoto(1100, 600, [
      { file: ASTRONAUT, left: 0, top: 0, height: 600 },
      { file: HOPPER, left: 600, top: 0, height: 500 },
    ]);
    const [{ name, photo, faces, whole }, ...others] = await predictAll(group);
    assert.deepEqual(
      [name, photo.width, photo.height, faces.length, whole, others.length],
      ["buffer 1", 1100, 600, 2, undefined, 0],
    );
    assert.deepEqual(JSON.parse(JSON.stringify(photo)), { width: 1100, height: 600 });
    for (const { predictions, pixels, ...face } of faces) {
      assert.equal(JSON.stringify({ ...face, pixels }), JSON.stringify(face));
      assert.equal(pixels.length, IMAGE_SIZE * IMAGE_SIZE * 3);
      const total = predictions.reduce((sum, { prob }) => sum + prob, 0);
      assert.ok(Math.abs(total - 1) < 1e-6);
    }
    assert.ok(faces[0].box.left < faces[1].box.left);
    assert.notDeepEqual(faces[0].predictions, faces[1].predictions);
  });

  it("classifies an image without a face as a whole", async () => {
    const plain = path.join(given.dir, "plain.png");
    await sharp(await groupPhoto(90, 60, [])).toFile(plain);
    const [{ faces, whole, name }] = await predictAll([plain]);
    assert.deepEqual([faces, name], [[], plain]);
    assert.deepEqual(whole, (await given.classifier.predict(plain))[0]);
  });

  it("predicts nearly the same for a face that the border cuts", async () => {
    const bundled = await loadClassifier(path.join(__dirname, "../../models/fer2013"));
    const chin = await sharp(HOPPER).extract({ left: 0, top: 0, width: 512, height: 282 }).png().toBuffer();
    const photos = await predictAll([HOPPER, chin], {}, bundled);
    bundled.dispose();
    const [whole, cut] = photos.map(({ faces: [{ predictions }] }) => predictions[0]);
    assert.deepEqual([whole.className, cut.className], ["neutral", "neutral"]);
    assert.ok(Math.abs(whole.prob - cut.prob) < 0.15, `${whole.prob}, ${cut.prob}`); // 0.34 by the visible part alone
  });

  it("keeps images that are cut to a face already, if wanted", async () => {
    const small = await sharp(ASTRONAUT).resize(128).png().toBuffer();
    const filled = await sharp(ASTRONAUT)
      .extract({ left: 165, top: 60, width: 130, height: 120 })
      .png()
      .toBuffer();
    const inputs = [small, filled, ASTRONAUT];
    const found = (photos: PhotoPrediction[]) => photos.map(({ faces, isFace }) => [faces.length, isFace]);
    assert.deepEqual(found(await predictAll(inputs)), [
      [1, false],
      [1, false],
      [1, false],
    ]);
    const kept = await predictAll(inputs, { keepCrops: true });
    assert.deepEqual(found(kept), [
      [0, true],
      [0, true],
      [1, false],
    ]);
    assert.deepEqual(kept[0].whole?.predictions, (await given.classifier.predict(small))[0].predictions);
  });

  it("reports unreadable photographs, and classifies the others", async () => {
    const errors: string[] = [];
    const onError = ({ message }: Error) => errors.push(message.split(" but ")[0]);
    const photos = await predictAll(["/absent.png", Buffer.from("no image"), ASTRONAUT], { onError });
    assert.deepEqual(
      photos.map(({ name }) => name),
      [ASTRONAUT],
    );
    assert.deepEqual(errors, [
      "Expected an image or a folder of images at /absent.png",
      "Expected an image at buffer 1",
    ]);
  });

  it("takes folders and bytes, and names photographs as they were given", async () => {
    await sharp(ASTRONAUT).toFile(path.join(given.dir, "b.jpg"));
    await sharp(await groupPhoto(60, 60, [])).toFile(path.join(given.dir, "a.png"));
    const photos = await predictAll([given.dir, readFileSync(ASTRONAUT)]);
    assert.deepEqual(
      photos.map(({ name, faces }) => [path.basename(name), faces.length]),
      [
        ["a.png", 0],
        ["b.jpg", 1],
        ["buffer 3", 1],
      ],
    );
    assert.deepEqual(await predictAll([]), []);
  });

  it("leaves no tensors behind, even after an unreadable photograph", async () => {
    await given.classifier.predict(ASTRONAUT);
    const { numTensors } = tf.memory();
    await predictAll(ASTRONAUT);
    await assert.rejects(predictAll([ASTRONAUT, Buffer.from("no image")]), {
      message: /^Expected an image at buffer 2 but found no image that can be read\./,
    });
    assert.equal(tf.memory().numTensors, numTensors);
  });
});

describe("predictsExpressions", () => {
  it("knows the expressions of common data sets, and no other classes", () => {
    for (const classNames of [
      ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"],
      ["Anger", "Contempt", "Happiness"],
    ])
      assert.ok(predictsExpressions({ classNames }), `${classNames}`);
    assert.ok(!predictsExpressions({ classNames: ["happy", "dog"] }));
  });
});
