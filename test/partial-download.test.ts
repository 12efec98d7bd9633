import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { downloadFile } from "../src/download.js";
import { PartialDownload } from "../src/partial-download.js";
import { temporaryFolder, writeFiles } from "./data/fixtures.js";
import { type Answer, cut, loopback, ranged, whole } from "./loopback.js";

const content = (factor: number) =>
  Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * factor) % 256));
const [OLD, NEW] = [content(7), content(11)];
const HOST = os.hostname().replace(/[^\w-]/g, "_");

describe("downloadFile", () => {
  const inFolder = temporaryFolder();
  const server = loopback();
  const options = { instead: "Give the file with --data PATH.", waitMs: 1 };
  const download = async (...answers: Answer[]) => {
    server.answers = answers;
    await downloadFile(server.url, inFolder("downloads/file.bin"), options);
    assert.deepEqual(readdirSync(inFolder("downloads")), ["file.bin"]);
    return readFileSync(inFolder("downloads/file.bin"));
  };
  const asked = () => server.requests.map(({ headers }) => [headers.range, headers["if-range"]]);
  const cutOld = (version: object) => cut(OLD, 50_000, inFolder("downloads"), { ...version });

  const date = "Tue, 01 Oct 2024 10:00:00 GMT";
  const versions: [string, object, string][] = [
    ["entity tag", { etag: '"a"', "last-modified": date }, '"a"'],
    ["date, where the entity tag is weak", { etag: 'W/"a"', "last-modified": date }, date],
    ["date, where there is no entity tag", { "last-modified": date }, date],
  ];
  for (const [name, version, told] of versions)
    it(`goes on with the version that it began by its ${name}`, async () => {
      assert.deepEqual(await download(cutOld(version), ranged(OLD, { ...version })), OLD);
      assert.deepEqual(asked().slice(1), [["bytes=50000-", told]]);
    });

  it("begins anew where the server has another version by now", async () => {
    assert.deepEqual(await download(cutOld({ etag: '"a"' }), ranged(NEW, { etag: '"b"' })), NEW);
    assert.deepEqual(asked().slice(1), [["bytes=50000-", '"a"']]);
  });

  it("begins anew where the server sends a part of another version all the same", async () => {
    const careless: Answer = (_, response) => {
      const headers = { "content-range": "bytes 50000-99999/100000", etag: '"b"' };
      response.writeHead(206, headers).end(NEW.subarray(50_000));
    };
    const found = await download(cutOld({ etag: '"a"' }), careless, whole(NEW, { etag: '"b"' }));
    assert.deepEqual(found, NEW);
    assert.deepEqual(asked()[2], [undefined, undefined]);
  });

  it("begins anew where the server sends another part than was asked for", async () => {
    const careless: Answer = (_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-99999/100000", etag: '"a"' }).end(OLD);
    };
    assert.deepEqual(await download(cutOld({ etag: '"a"' }), careless, whole(OLD)), OLD);
  });

  for (const [name, version] of [
    ["no version", {}],
    ["a weak one only", { etag: 'W/"a"' }],
  ] as const)
    it(`begins anew where the server told ${name}`, async () => {
      assert.deepEqual(await download(cutOld(version), whole(NEW)), NEW);
      assert.deepEqual(asked()[1], [undefined, undefined]);
    });

  it("does not mix two downloads of a file at once", async () => {
    const half = OLD.length / 2;
    const held: (() => void)[] = [];
    /** Sends the second half of each answer once all have their first. */
    const inTurns =
      (file: Buffer): Answer =>
      (_, response) => {
        response.writeHead(200, { "content-length": file.length }).write(file.subarray(0, half));
        held.push(() => response.end(file.subarray(half)));
        if (held.length === 2) for (const finish of held) finish();
      };
    server.answers = [inTurns(OLD), inTurns(NEW)];
    const file = inFolder("downloads/file.bin");
    await Promise.all([1, 2].map(() => downloadFile(server.url, file, options)));
    const found = readFileSync(file);
    assert.ok(found.equals(OLD) || found.equals(NEW));
    assert.deepEqual(readdirSync(inFolder("downloads")), ["file.bin"]);
  });

  it("begins anew in place of a file of the partial download's name", async () => {
    writeFiles(inFolder("downloads"), { "file.bin.part": "from elsewhere" });
    assert.deepEqual(await download(whole(NEW)), NEW);
  });
});

describe("PartialDownload", () => {
  const inFolder = temporaryFolder();
  const leave = (name: string, bytes: string) =>
    writeFiles(inFolder("downloads", name), { bytes, version: '"a"' });
  const claim = () => PartialDownload.claim(inFolder("downloads/file.bin"));
  const numBytes = async () => (await (await claim()).begun())?.length ?? 0;
  const { pid: gone } = spawnSync(process.execPath, ["--version"]);

  it("takes over what a process left that is gone", async () => {
    leave(`file.bin.${HOST}.${gone}.0a1b2c3d.part`, "1234");
    assert.equal(await numBytes(), 4);
    assert.equal(await numBytes(), 0, "not twice");
  });

  for (const [owner, name] of [
    ["a running process", `file.bin.${HOST}.${process.ppid}.0a1b2c3d.part`],
    ["this process", `file.bin.${HOST}.${process.pid}.0a1b2c3d.part`],
    ["another machine", `file.bin.elsewhere.${gone}.0a1b2c3d.part`],
    ["a download of another file", `other.bin.${HOST}.${gone}.0a1b2c3d.part`],
  ])
    it(`leaves alone what is of ${owner}`, async () => {
      leave(name, "1234");
      assert.equal(await numBytes(), 0);
      assert.deepEqual(readdirSync(inFolder("downloads")), [name]);
    });

  it("leaves for later what two had when they gave up, once", async () => {
    for (const partial of await Promise.all([claim(), claim()])) {
      await partial.begin('"a"');
      writeFileSync(partial.bytes, "12345");
      await partial.release();
    }
    assert.deepEqual(readdirSync(inFolder("downloads")), ["file.bin.part"]);
    assert.equal(await numBytes(), 5);
  });
});
