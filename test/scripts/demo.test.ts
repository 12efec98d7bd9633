import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { buildPage, servePage } from "../../scripts/commands/demo.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { projectDir, workspace } from "../workspace.js";

describe("buildPage", () => {
  const folder = workspace();

  it("has what a page needs, and the files of the model alone", async () => {
    const network = randomNetwork({ imageSize: 33 });
    await saveModel(folder.file("runs/shapes/best"), network.config, await network.parameters());
    network.dispose();
    writeFileSync(folder.file("runs/shapes/best/images-1.json"), "{}");
    await buildPage(folder.file("page"), folder.file("runs/shapes/best"));
    const [weights, ...others] = readdirSync(folder.file("page/model")).filter(
      (name) => name !== "model.json",
    );
    assert.match(weights, /^weights-.*\.bin$/);
    assert.deepEqual(others, []);
    assert.match(readFileSync(folder.file("page/app.js"), "utf8"), /"shapes"/);
    for (const name of [
      "index.html",
      "style.css",
      "faces/ssd_mobilenetv1_model.bin",
      "wasm/tfjs-backend-wasm.wasm",
    ])
      assert.ok(statSync(folder.file("page", name)).size > 0, name);
  });

  it("refuses a folder that holds no model, before it replaces a page", async () => {
    mkdirSync(folder.file("page"));
    mkdirSync(folder.file("none"));
    await assert.rejects(buildPage(folder.file("page"), folder.file("none")), {
      name: "InputError",
      message: `Expected a model folder at ${folder.file("none")} but found none. Choose another with --model, such as runs/NAME/best.`,
    });
    assert.ok(existsSync(folder.file("page")));
  });

  it("says where it cannot write", async () => {
    const model = path.join(projectDir, "models/ferplus");
    writeFileSync(folder.file("file"), "text");
    await assert.rejects(buildPage(folder.file("file/page"), model), {
      name: "InputError",
      message: `Expected to write at ${folder.file("file/page")} but found a file instead of a folder. Rename it or choose another folder; what was there is kept.`,
    });
    if (process.platform === "linux")
      await assert.rejects(buildPage("/proc/ferkit/page", model), {
        message:
          /^Expected to write at \/proc\/ferkit but found a folder of the system, which takes no others\. /,
      });
  });

  it("replaces nothing but an earlier page", async () => {
    mkdirSync(folder.file("mine"));
    writeFileSync(folder.file("mine/index.html"), "my own");
    writeFileSync(folder.file("file"), "text");
    for (const name of ["mine", "file"])
      await assert.rejects(buildPage(folder.file(name), "model"), {
        name: "InputError",
        message: `Expected a new or empty folder, or an earlier page, for --out at ${folder.file(name)} but found other files. Choose another.`,
      });
    assert.equal(readFileSync(folder.file("mine/index.html"), "utf8"), "my own");
  });
});

describe("servePage", () => {
  const folder = workspace();

  it("answers a malformed request and keeps serving", async () => {
    mkdirSync(folder.file("page"));
    writeFileSync(folder.file("page/index.html"), "the page");
    writeFileSync(folder.file("secret"), "outside");
    const server = await servePage(folder.file("page"), 0);
    const { port } = server.address() as AddressInfo;
    const statusOf = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = http.get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on("error", reject);
      });
    try {
      const paths = ["/%", "/%00", "//", "/..%2fsecret", "/absent", "/"];
      assert.deepEqual(await Promise.all(paths.map(statusOf)), [400, 400, 400, 404, 404, 200]);
    } finally {
      server.close();
    }
  });
});
