import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { servePage } from "../../demo/build.js";
import { workspace } from "../workspace.js";

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
