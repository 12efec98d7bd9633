import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { buildPage, servePage } from "../../demo/build.js";
import { workspace } from "../workspace.js";

describe("buildPage", () => {
  const folder = workspace();

  it("replaces nothing but an earlier page", async () => {
    mkdirSync(folder.file("mine"));
    writeFileSync(folder.file("mine/index.html"), "my own");
    writeFileSync(folder.file("file"), "text");
    for (const name of ["mine", "file"])
      await assert.rejects(buildPage(folder.file(name)), {
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
