// The page of demo/ in a browser, with photographs and with a camera that shows one of them: npm run test:browser.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import type http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import sharp from "sharp";
import { buildPage, servePage } from "../../scripts/commands/demo.js";
import { cropFace } from "../../src/faces/crop.js";
import { type Face, FaceDetector } from "../../src/faces/detect.js";
import { type Classifier, loadClassifier } from "../../src/index.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { projectDir, workspace } from "../workspace.js";
import { type Browser, openBrowser, type Page } from "./chromium.js";

const PHOTOS = ["astronaut", "grace-hopper"];
const PICTURES = path.join(projectDir, "out/browser");
/**
 * Largest difference from Node.js of a probability: for the same pixels, for the same face in the same photograph, and for the face
 * that each finds alone.
 */
const [SAME_PIXELS, SAME_FACE, ALONE] = [1e-5, 1e-5, 1e-3];
/** Largest distance of an eye, in pixels. */
const SAME_EYES = 0.01;
const WAIT = { timeout: 300_000 };

/** What the page classified last; pixels in base64. */
interface Latest {
  image: { pixels: string; width: number; height: number };
  found: { pixels: string; probs: number[]; face: Face | null }[];
}

describe("the page", function () {
  this.timeout(600_000);
  this.slow(20_000);
  const folder = workspace("suite");
  const requests: string[] = [];
  const errors: string[] = [];
  let browser: Browser;
  let server: http.Server;
  let page: Page;
  let classifier: Classifier;

  before("builds and opens it", async function () {
    const camera = folder.file("camera.mjpeg");
    const frame = sharp(path.join(projectDir, "test/faces/photos/astronaut.jpg")).resize(640, 480, {
      position: "top",
    });
    writeFileSync(camera, await frame.jpeg({ quality: 95 }).toBuffer());
    const opened = await openBrowser([
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      `--use-file-for-fake-video-capture=${camera}`,
    ]);
    if (typeof opened === "string") {
      console.log(`      skipped: ${opened}`);
      this.skip();
    }
    browser = opened as Browser;
    classifier = await loadClassifier(path.join(projectDir, "models/ferplus"));
    await buildPage(folder.file("page"), path.join(projectDir, "models/ferplus"));
    server = await servePage(folder.file("page"), 0);
    mkdirSync(PICTURES, { recursive: true });
    page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
    page.on("pageerror", ({ message }) => errors.push(message));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await isReady();
    await page.context().setOffline(true); // after loading, it needs no network
  });

  after("closes it", async () => {
    classifier?.dispose();
    await browser?.close();
    server?.close();
  });

  const isReady = () =>
    page.waitForFunction('document.getElementById("status").textContent === "Ready."', null, WAIT);
  const textOf = (selector: string) =>
    page.evaluate<string>(`document.querySelector("${selector}").innerText`);

  /** Waits until the page has classified a picture, and returns it. */
  async function nextLatest(begin: () => Promise<unknown>): Promise<Latest> {
    await page.evaluate("ferkit.latest = null");
    await begin();
    await page.waitForFunction("ferkit.latest !== null", null, WAIT);
    return page.evaluate<Latest>(`(() => {
      const text = (pixels) => {
        let binary = "";
        for (const byte of pixels) binary += String.fromCharCode(byte);
        return btoa(binary);
      };
      const { image, found } = ferkit.latest;
      return {
        image: { ...image, pixels: text(image.pixels) },
        found: found.map(({ face, pixels, probs }) => ({ face, pixels: text(pixels), probs: [...probs] })),
      };
    })()`);
  }

  /** Returns probabilities in the order of the classes. */
  const inOrder = (predictions: { className: string; prob: number }[]) =>
    classifier.config.classNames.map(
      (name) => predictions.find(({ className }) => className === name)?.prob as number,
    );

  const difference = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

  /** Computes the probabilities of pixels in Node.js. */
  async function probsOf(pixels: Uint8Array): Promise<number[]> {
    const [{ predictions }] = await classifier.predictPixels([{ name: "", pixels }]);
    return inOrder(predictions);
  }

  /**
   * Checks each face of a picture against Node.js: that it is found in the same place, and the probabilities of the page's pixels and
   * of the same face, cut out by Node.js.
   */
  async function checkAgainstNode({ image: { pixels, ...size }, found }: Latest): Promise<void> {
    const image = { pixels: Buffer.from(pixels, "base64"), ...size };
    const detector = await FaceDetector.load();
    const faces = await detector.detect(image).finally(() => detector.dispose());
    assert.equal(faces.length, found.length);
    for (const [i, one] of found.entries()) {
      const face = one.face as Face;
      assert.deepEqual([face.box, face.extent], [faces[i].box, faces[i].extent]);
      face.eyes.forEach(({ x, y }, side) => {
        const eye = faces[i].eyes[side];
        assert.ok(Math.hypot(x - eye.x, y - eye.y) < SAME_EYES, `${x},${y} instead of ${eye.x},${eye.y}`);
      });
      const ofPixels = difference(
        one.probs,
        await probsOf(new Uint8Array(Buffer.from(one.pixels, "base64"))),
      );
      const { imageSize } = classifier.config;
      const ofFace = difference(one.probs, await probsOf(await cropFace(image, face, imageSize)));
      const alone = difference(one.probs, await probsOf(await cropFace(image, faces[i], imageSize)));
      const [a, b, c] = [ofPixels, ofFace, alone].map((value) => value.toExponential(1));
      console.log(`      largest differences: same pixels ${a}, same face ${b}, each alone ${c}`);
      assert.ok(ofPixels <= SAME_PIXELS && ofFace <= SAME_FACE && alone <= ALONE, `${[a, b, c]}`);
    }
  }

  it("names the fastest engine and its frames a second", async () => {
    assert.match(await textOf("#backend"), /^tfjs (webgpu|webgl|wasm), \d+\.\d frames\/s/);
    assert.match(await textOf("#about"), /^ferplus: 7 classes, 144 × 144 pixels, for faces$/);
  });

  for (const name of PHOTOS)
    it(`finds the face of ${name} and gives the probabilities of Node.js`, async () => {
      const latest = await nextLatest(() =>
        page.setInputFiles("#photos", path.join(projectDir, `test/faces/photos/${name}.jpg`)),
      );
      assert.deepEqual(
        latest.found.map(({ face }) => face !== null),
        [true],
      );
      await checkAgainstNode(latest);
      assert.match(await textOf(".picture .results"), new RegExp(`^${name}.jpg, face 1\\n`));
    });

  it("shows that a file is not an image", async () => {
    const file = folder.file("notes.jpg");
    writeFileSync(file, "no image");
    await page.setInputFiles("#photos", file);
    const expected = "Expected an image but notes.jpg cannot be read.";
    await page.waitForFunction(`document.getElementById("status").textContent === "${expected}"`, null, WAIT);
  });

  it("classifies the camera's picture live", async () => {
    await checkAgainstNode(await nextLatest(() => page.click("#camera")));
    await page.waitForFunction(
      '/ frames.s with the camera/.test(document.getElementById("speed").textContent)',
      null,
      WAIT,
    );
    assert.match(await textOf("#live .results"), /^Camera, face 1\nhappy\n/);
    console.log(`      ${await textOf("#speed")}, ${await textOf("#backend")}`);
  });

  it("fits a phone, in light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [name, width] of [
        ["phone", 375],
        ["desk", 1000],
      ] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.screenshot({ path: path.join(PICTURES, `demo-${colorScheme}-${name}.png`) });
        const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
        assert.ok(overflow <= 0, `${overflow} pixels wider than the window of ${width}`);
      }
    }
    await page.click("#camera"); // stops it
  });

  it("takes a model folder of other classes, and classifies whole pictures with it", async () => {
    const network = randomNetwork();
    await saveModel(folder.file("shapes"), network.config, await network.parameters());
    network.dispose();
    await page.setInputFiles("#model", folder.file("shapes"));
    await page.waitForFunction(
      '/^shapes: 3 classes/.test(document.getElementById("about").textContent)',
      null,
      WAIT,
    );
    await isReady();
    const { found } = await nextLatest(() =>
      page.setInputFiles("#photos", path.join(projectDir, "test/faces/photos/astronaut.jpg")),
    );
    const own = await loadClassifier(folder.file("shapes"));
    const [{ predictions }] = await own.predictPixels([
      { name: "", pixels: new Uint8Array(Buffer.from(found[0].pixels, "base64")) },
    ]);
    own.dispose();
    const probs = own.config.classNames.map(
      (name) => predictions.find((one) => one.className === name)?.prob as number,
    );
    assert.deepEqual([found.length, found[0].face], [1, null]);
    assert.ok(difference(probs, found[0].probs) <= SAME_PIXELS);
  });

  it("needed no network after loading, asked no other host, and threw no error", () => {
    const { port } = server.address() as AddressInfo;
    const other = requests.filter(
      (url) => !/^(data|blob):/.test(url) && new URL(url).host !== `127.0.0.1:${port}`,
    );
    assert.deepEqual([other, errors], [[], []]);
  });
});
