import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type DownloadOptions, downloadFile } from "../src/download.js";
import type { LoadProgress } from "../src/progress.js";
import { temporaryFolder } from "./data/fixtures.js";
import { type Answer, cut, loopback, ranged, status, whole } from "./loopback.js";

const content = (factor: number) =>
  Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * factor) % 256));
const [CONTENT, OTHER] = [content(7), content(11)];
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");
const CUT = 65_536;
const [all, rest] = [whole(CONTENT), ranged(CONTENT)];

describe("downloadFile", () => {
  const inFolder = temporaryFolder();
  const server = loopback();

  const start = (options: Partial<DownloadOptions> = {}) =>
    downloadFile(server.url, inFolder("downloads/file.bin"), {
      instead: "Give the file with --data PATH.",
      waitMs: 1,
      ...options,
    });
  const assertFiles = (...names: string[]) => assert.deepEqual(readdirSync(inFolder("downloads")), names);
  const download = async (answers: Answer[], options: Partial<DownloadOptions> = {}) => {
    server.answers = answers;
    await start(options);
    assertFiles("file.bin");
    return readFileSync(inFolder("downloads/file.bin"));
  };
  const cutOff = (version?: object) => cut(CONTENT, CUT, inFolder("downloads"), { ...version });
  const requested = () => server.requests.map(({ headers }) => [headers.range, headers["if-range"]]);
  const WHOLE = [undefined, undefined];
  const rejects = async (downloaded: Promise<unknown>, found: string) => {
    await assert.rejects(downloaded, {
      name: "InputError",
      message: `Expected to download at ${server.url} but found ${found}. Give the file with --data PATH.`,
    });
    assertFiles();
  };

  it("writes the whole file and nothing else", async () => {
    assert.deepEqual(await download([all], { sha256: SHA256 }), CONTENT);
  });

  it("asks for the file without compression", async () => {
    const compressing: Answer = (request, response) => {
      if (!/gzip/.test(String(request.headers["accept-encoding"]))) return all(request, response);
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(CONTENT).subarray(0, 100));
    };
    assert.deepEqual(await download([compressing]), CONTENT);
  });

  const date = "Tue, 01 Oct 2024 10:00:00 GMT";
  const versions: [string, object, string][] = [
    ["entity tag", { etag: '"a"', "last-modified": date }, '"a"'],
    ["date if the entity tag is weak", { etag: 'W/"a"', "last-modified": date }, date],
    ["date if there is no entity tag", { "last-modified": date }, date],
  ];
  for (const [name, version, told] of versions)
    it(`resumes after a broken connection, and names the version by its ${name}`, async () => {
      assert.deepEqual(await download([cutOff(version), ranged(CONTENT, { ...version })]), CONTENT);
      assert.deepEqual(requested(), [WHOLE, [`bytes=${CUT}-`, told]]);
    });

  it("resumes after a second broken connection", async () => {
    const again = cut(CONTENT, 2 * CUT, inFolder("downloads"));
    assert.deepEqual(await download([cutOff({ etag: '"1"' }), again, rest]), CONTENT);
    assert.equal(requested()[2][0], `bytes=${2 * CUT}-`);
  });

  it("starts from scratch if the server ignores the range", async () => {
    assert.deepEqual(await download([cutOff({ etag: '"1"' }), all]), CONTENT);
    assert.equal(server.requests.length, 2);
  });

  it("starts from scratch if the server has another version by now", async () => {
    const answers = [cutOff({ etag: '"a"' }), ranged(OTHER, { etag: '"b"' })];
    assert.deepEqual(await download(answers), OTHER);
    assert.deepEqual(requested(), [WHOLE, [`bytes=${CUT}-`, '"a"']]);
  });

  it("starts from scratch if the server sends a part of another version", async () => {
    const careless: Answer = (_, response) => {
      const headers = { "content-range": `bytes ${CUT}-199999/200000`, etag: '"b"' };
      response.writeHead(206, headers).end(OTHER.subarray(CUT));
    };
    const answers = [cutOff({ etag: '"a"' }), careless, whole(OTHER, { etag: '"b"' })];
    assert.deepEqual(await download(answers), OTHER);
    assert.deepEqual(requested()[2], WHOLE);
  });

  it("starts from scratch if the server sends another part than was requested", async () => {
    const careless: Answer = (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-199999/200000", etag: '"a"' }).end(CONTENT);
    };
    assert.deepEqual(await download([cutOff({ etag: '"a"' }), careless, all]), CONTENT);
  });

  it("starts from scratch if the file became shorter", async () => {
    const short = CONTENT.subarray(0, 1000);
    const gone: Answer = (_, response) => response.writeHead(416, { "content-range": "bytes */1000" }).end();
    assert.deepEqual(await download([cutOff({ etag: '"a"' }), gone, whole(short)]), short);
    assert.deepEqual(requested()[2], WHOLE);
  });

  for (const [name, version] of [
    ["no version", {}],
    ["a weak version only", { etag: 'W/"a"' }],
  ] as const)
    it(`starts from scratch if the server named ${name}`, async () => {
      assert.deepEqual(await download([cutOff(version), whole(OTHER)]), OTHER);
      assert.deepEqual(requested()[1], WHOLE);
    });

  for (const code of [503, 500, 429, 408])
    it(`tries again after status ${code}`, async () => {
      assert.deepEqual(await download([status(code), status(code), all]), CONTENT);
      assert.equal(server.requests.length, 3);
    });

  it("gives up after the last try, and says what to do instead", async () => {
    server.answers = [status(503)];
    await rejects(start({ numTries: 3 }), "status 503 Service Unavailable");
    assert.equal(server.requests.length, 3);
  });

  it("leaves nothing when it gives up halfway", async () => {
    server.answers = [cutOff({ etag: '"a"' })];
    await rejects(start({ numTries: 1 }), "terminated (other side closed)");
  });

  it("does not try again if there is no such file", async () => {
    server.answers = [status(404)];
    await rejects(start(), "status 404 Not Found");
    assert.equal(server.requests.length, 1);
  });

  it("says that the server cannot be reached, or that the address is not valid", async () => {
    await server.close();
    const { port } = new URL(server.url);
    await rejects(start({ numTries: 2 }), `fetch failed (connect ECONNREFUSED 127.0.0.1:${port})`);
    server.url = "no address";
    await rejects(start(), "Failed to parse URL from no address (Invalid URL)");
  });

  it("refuses a file with another digest, and leaves nothing", async () => {
    const sha256 = "0".repeat(64);
    server.answers = [all];
    await assert.rejects(start({ sha256 }), {
      name: "InputError",
      message: `Expected a file of SHA-256 ${sha256} at ${server.url} but found ${SHA256}. Give the file with --data PATH.`,
    });
    assertFiles();
  });

  it("reports how many bytes are done, also after it resumed", async () => {
    const reports: LoadProgress[] = [];
    const onProgress = (progress: LoadProgress) => reports.push(progress);
    await download([cutOff({ etag: '"1"' }), rest], { onProgress });
    assert.deepEqual(reports.at(-1), { stage: "download", done: 200_000, total: 200_000, unit: "bytes" });
    assert.ok(reports.some(({ done }) => done === CUT));
    for (let i = 1; i < reports.length; i++) {
      assert.ok(reports[i].done > reports[i - 1].done);
      assert.equal(reports[i].total, 200_000);
    }
  });

  it("ends with the error of a listener", async () => {
    server.answers = [all];
    const onProgress = () => {
      throw new Error("stopped");
    };
    await rejects(start({ onProgress, numTries: 1 }), "stopped");
  });

  it("says that the folder cannot be written", async () => {
    writeFileSync(inFolder("downloads"), "a file");
    server.answers = [all];
    await assert.rejects(start(), {
      name: "InputError",
      message: `Expected to write at ${inFolder("downloads/file.bin")} but found a file instead of a folder. Rename it or choose another folder; what was there is kept.`,
    });
  });
});
