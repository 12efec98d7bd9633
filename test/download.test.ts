import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type DownloadOptions, downloadFile } from "../src/download.js";
import type { LoadProgress } from "../src/progress.js";
import { temporaryFolder, writeFiles } from "./data/fixtures.js";
import { type Answer, cut, loopback, ranged, status, VERSION, whole } from "./loopback.js";

const CONTENT = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256));
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
const OPTIONS = { instead: "Give the file with --data PATH.", waitMs: 1 };
const [all, rest] = [whole(CONTENT), ranged(CONTENT)];

describe("downloadFile", () => {
  const inFolder = temporaryFolder();
  const server = loopback();

  const download = async (answers: Answer[], options: Partial<DownloadOptions> = {}) => {
    server.answers = answers;
    await downloadFile(server.url, inFolder("downloads/file.bin"), { ...OPTIONS, ...options });
    return readFileSync(inFolder("downloads/file.bin"));
  };
  const cutAfter = (length: number) => cut(CONTENT, length, inFolder("downloads"));
  const begin = (bytes: Uint8Array) =>
    writeFiles(inFolder("downloads/file.bin.part"), { bytes, version: VERSION.etag });
  const assertFiles = (...names: string[]) => assert.deepEqual(readdirSync(inFolder("downloads")), names);
  const ranges = () => server.requests.map(({ headers }) => headers.range ?? "all");
  const rejects = (downloaded: Promise<unknown>, found: string) =>
    assert.rejects(downloaded, {
      name: "InputError",
      message: `Expected to download at ${server.url} but found ${found}. Give the file with --data PATH.`,
    });

  it("writes the whole file and nothing else", async () => {
    assert.deepEqual(await download([all], { sha256: SHA256 }), CONTENT);
    assertFiles("file.bin");
  });

  it("takes the file as it is, without a server's compression", async () => {
    const compressing: Answer = (request, response) => {
      if (!/gzip/.test(String(request.headers["accept-encoding"]))) return all(request, response);
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(CONTENT).subarray(0, 100));
    };
    assert.deepEqual(await download([compressing]), CONTENT);
  });

  it("goes on where a cut connection left it", async () => {
    assert.deepEqual(await download([cutAfter(65_536), rest]), CONTENT);
    assert.deepEqual(ranges(), ["all", "bytes=65536-"]);
    assertFiles("file.bin");
  });

  it("goes on where an earlier call left it", async () => {
    begin(CONTENT.subarray(0, 1000));
    assert.deepEqual(await download([rest]), CONTENT);
    assert.deepEqual(ranges(), ["bytes=1000-"]);
  });

  it("starts anew where the server ignores the range", async () => {
    assert.deepEqual(await download([cutAfter(65_536), all]), CONTENT);
    assert.equal(server.requests.length, 2);
  });

  it("takes a file that was begun and is whole already", async () => {
    begin(CONTENT);
    assert.deepEqual(await download([rest]), CONTENT);
  });

  it("starts anew where more was begun than the server has", async () => {
    begin(Buffer.alloc(CONTENT.length + 5));
    assert.deepEqual(await download([rest, all]), CONTENT);
    assert.deepEqual(ranges(), [`bytes=${CONTENT.length + 5}-`, "all"]);
  });

  for (const code of [503, 500, 429, 408])
    it(`tries again after status ${code}`, async () => {
      assert.deepEqual(await download([status(code), status(code), all]), CONTENT);
      assert.equal(server.requests.length, 3);
    });

  it("gives up after so many tries, and says what to do instead", async () => {
    await rejects(download([status(503)], { numTries: 3 }), "status 503 Service Unavailable");
    assert.equal(server.requests.length, 3);
    assertFiles();
  });

  it("keeps what it has when it gives up, to go on from", async () => {
    await rejects(download([cutAfter(65_536)], { numTries: 1 }), "terminated (other side closed)");
    assertFiles("file.bin.part");
    assert.deepEqual(await download([rest]), CONTENT);
    assert.deepEqual(ranges(), ["all", "bytes=65536-"]);
  });

  it("does not try again where there is no such file", async () => {
    await rejects(download([status(404)]), "status 404 Not Found");
    assert.equal(server.requests.length, 1);
    assertFiles();
  });

  it("says that the server cannot be reached, or the address is none", async () => {
    await server.close();
    const { port } = new URL(server.url);
    await rejects(download([all], { numTries: 2 }), `fetch failed (connect ECONNREFUSED 127.0.0.1:${port})`);
    server.url = "no address";
    await rejects(download([all]), "Failed to parse URL from no address (Invalid URL)");
  });

  it("refuses a file of another digest, and leaves nothing", async () => {
    const sha256 = "0".repeat(64);
    await assert.rejects(download([all], { sha256 }), {
      name: "InputError",
      message: `Expected a file of SHA-256 ${sha256} at ${server.url} but found ${SHA256}. Give the file with --data PATH.`,
    });
    assertFiles();
  });

  it("reports how many bytes are done, on from where it was cut", async () => {
    const reports: LoadProgress[] = [];
    await download([cutAfter(65_536), rest], { onProgress: (progress) => reports.push(progress) });
    assert.deepEqual(reports.at(-1), { stage: "download", done: 200_000, total: 200_000, unit: "bytes" });
    assert.ok(reports.some(({ done }) => done === 65_536));
    for (let i = 1; i < reports.length; i++) {
      assert.ok(reports[i].done > reports[i - 1].done);
      assert.equal(reports[i].total, 200_000);
    }
  });

  it("ends with the error of a listener", async () => {
    const onProgress = () => {
      throw new Error("stopped");
    };
    await rejects(download([all], { onProgress, numTries: 1 }), "stopped");
    assert.ok(!existsSync(inFolder("downloads/file.bin")));
  });

  it("says that the folder cannot be written", async () => {
    writeFileSync(inFolder("downloads"), "a file");
    await assert.rejects(download([all]), {
      name: "InputError",
      message: `Expected to write at ${inFolder("downloads/file.bin")} but found a file in place of a folder. Make room or choose another folder; nothing was changed.`,
    });
  });
});
