// Each engine of the page in a browser, WebGL and WebGPU on a graphics card that the processor imitates: npm run test:browser.
import assert from "node:assert/strict";
import type http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { buildPage, servePage } from "../../scripts/commands/demo.js";
import { type Classifier, loadClassifier } from "../../src/index.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { projectDir, workspace } from "../workspace.js";
import { type Browser, openBrowser } from "./chromium.js";

const WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
/** Many telephones have textures of 16 bits only; this makes tfjs use them. */
const HALF = "&tfjsflags=WEBGL_FORCE_F16_TEXTURES:true";
const ENGINES = [
  { title: "wasm", address: "?backend=wasm", args: [], tolerance: 1e-5 },
  { title: "cpu", address: "?backend=cpu", args: [], tolerance: 1e-5 },
  { title: "webgl", address: "?backend=webgl", args: WEBGL, tolerance: 1e-5 },
  { title: "webgl with 16 bits", address: `?backend=webgl${HALF}`, args: WEBGL, tolerance: 2e-3 },
  { title: "webgpu", address: "?backend=webgpu", args: WEBGPU, tolerance: 1e-5 },
];
const WAIT = { timeout: 300_000 };

describe("engines of a page", function () {
  this.timeout(600_000);
  this.slow(60_000);
  const folder = workspace("suite");
  let server: http.Server;
  let classifier: Classifier;

  before("builds a page for a small network", async () => {
    const network = randomNetwork();
    await saveModel(folder.file("shapes"), network.config, await network.parameters());
    network.dispose();
    classifier = await loadClassifier(folder.file("shapes"));
    await buildPage(folder.file("page"), folder.file("shapes"));
    server = await servePage(folder.file("page"), 0);
  });

  after("closes it", () => {
    classifier?.dispose();
    server?.close();
  });

  /** Opens the page in a browser, and does something with it; skips the test without a browser. */
  async function withPage(
    context: Mocha.Context,
    address: string,
    args: string[],
    use: (page: Awaited<ReturnType<Browser["newPage"]>>, status: string) => Promise<void>,
  ): Promise<void> {
    const browser = await openBrowser(args);
    if (typeof browser === "string") {
      console.log(`      skipped: ${browser}`);
      return context.skip();
    }
    try {
      const page = await browser.newPage({ viewport: { width: 800, height: 800 } });
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${address}`);
      const text = 'document.getElementById("status").textContent';
      await page.waitForFunction(`/^(Ready|This browser has no)/.test(${text})`, null, WAIT);
      await use(page, await page.evaluate<string>(text));
    } finally {
      await browser.close();
    }
  }

  for (const { title, address, args, tolerance } of ENGINES)
    it(`${title} gives the probabilities of Node.js, for one file twice`, async function () {
      await withPage(this, address, args, async (page, status) => {
        if (status !== "Ready.") {
          console.log(`      skipped: ${status}`);
          return this.skip();
        }
        for (let time = 0; time < 2; time++) {
          await page.evaluate("ferkit.latest = null");
          await page.setInputFiles("#photos", path.join(projectDir, "test/faces/photos/grace-hopper.jpg"));
          await page.waitForFunction("ferkit.latest !== null", null, WAIT);
          const [{ pixels, probs }] = await page.evaluate<{ pixels: number[]; probs: number[] }[]>(
            "ferkit.latest.found.map(({ pixels, probs }) => ({ pixels: [...pixels], probs: [...probs] }))",
          );
          const [{ predictions }] = await classifier.predictPixels([
            { name: "", pixels: Uint8Array.from(pixels) },
          ]);
          const expected = classifier.config.classNames.map(
            (name) => predictions.find(({ className }) => className === name)?.prob as number,
          );
          const largest = Math.max(...probs.map((prob, i) => Math.abs(prob - expected[i])));
          console.log(`      largest difference ${largest.toExponential(1)}`);
          assert.ok(largest <= tolerance);
        }
      });
    });

  it("says which engines there are if the address names another", async function () {
    await withPage(this, "?backend=cuda", [], async (_page, status) => {
      assert.equal(status, "This browser has no cuda. Choose one of webgpu, webgl, wasm, cpu.");
    });
  });
});
