// Servers that fail in every way: a download is retried or refused, and the cache never holds a damaged file.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type http from "node:http";
import net from "node:net";
import { setTimeout } from "node:timers/promises";
import { type DownloadOptions, downloadFile } from "../src/download.js";
import { temporaryFolder } from "./data/fixtures.js";
import { type Answer, cut, loopback, ranged, redirect, status, VERSION, whole } from "./loopback.js";
import { projectDir } from "./workspace.js";

const CONTENT = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256));
const OTHER = Buffer.from(CONTENT).fill(1, 1000, 1001);
const HALF = CONTENT.length / 2;
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const SHA256 = digest(CONTENT);
const INSTEAD = "Give the file with --data PATH.";

/** Answers with the first half of the file, then does what is given. */
const halfThen =
  (
    then: (response: Parameters<Answer>[1]) => void,
    headers: http.OutgoingHttpHeaders = { "content-length": CONTENT.length, ...VERSION },
  ): Answer =>
  (_, response) => {
    response.writeHead(200, headers).write(CONTENT.subarray(0, HALF), () => then(response));
  };
const part = (from: number, to: number, total: number | string, bytes: Buffer): Answer =>
  status206(`bytes ${from}-${to}/${total}`, bytes);
function status206(range: string, bytes: Buffer): Answer {
  return (_, response) =>
    response
      .writeHead(206, { "content-range": range, "content-length": bytes.length, ...VERSION })
      .end(bytes);
}
const nothing: Answer = () => {};
const reset: Answer = ({ socket }) => socket.resetAndDestroy();
const rest = ranged(CONTENT);

describe("a download from a server that", () => {
  const inFolder = temporaryFolder();
  const server = loopback();
  const start = (options: Partial<DownloadOptions> = {}) =>
    downloadFile(server.url, inFolder("downloads/file.bin"), {
      instead: INSTEAD,
      waitMs: 1,
      ...options,
    });
  const files = () => readdirSync(inFolder("downloads")).sort();
  const succeeds = async (answers: Answer[], options: Partial<DownloadOptions> = {}) => {
    server.answers = answers;
    await start(options);
    assert.deepEqual(files(), ["file.bin"]);
    assert.ok(readFileSync(inFolder("downloads/file.bin")).equals(CONTENT));
  };
  const refuses = async (
    answers: Answer[],
    expected: string,
    found: string,
    options: Partial<DownloadOptions> = {},
  ) => {
    server.answers = answers;
    const message = `Expected ${expected} at ${server.url} but found ${found}. ${INSTEAD}`;
    await assert.rejects(start(options), { name: "InputError", message });
    assert.deepEqual(files(), []);
  };

  describe("resets, stalls or truncates", () => {
    const faults: [string, Answer, Partial<DownloadOptions>?][] = [
      ["resets the connection", reset],
      ["resets it halfway", halfThen(({ socket }) => socket?.resetAndDestroy())],
      ["does not answer", nothing, { stallMs: 1000 }],
      ["stalls halfway", halfThen(() => {}), { stallMs: 1000 }],
      ["closes a chunked answer halfway", halfThen((response) => response.destroy(), VERSION)],
      [
        "says a length that is too long",
        (_, response) => {
          response.writeHead(200, { "content-length": CONTENT.length + 10, ...VERSION }).write(CONTENT);
          response.socket?.end();
        },
      ],
    ];
    for (const [name, fault, options] of faults)
      it(`is tried again: one that ${name}`, async () => {
        await succeeds([fault, rest], options);
        assert.equal(server.requests.length, 2);
      });

    it("is given up in the end, with the reason", async () => {
      await refuses([nothing], "to download", "nothing for 0.05 seconds", { stallMs: 50, numTries: 2 });
      assert.equal(server.requests.length, 2);
    });
  });

  describe("lies", () => {
    // HTTP ends an answer after the stated length, so that only a digest or the format shows that bytes are missing.
    const short: Answer = (_, response) =>
      response.writeHead(200, { "content-length": HALF, ...VERSION }).end(CONTENT.subarray(0, HALF));

    it("is refused by its digest: one that says a length that is too short", () =>
      refuses([short], `a file of SHA-256 ${SHA256}`, digest(CONTENT.subarray(0, HALF)), { sha256: SHA256 }));

    it("is refused by its format if no digest is known", async () => {
      const check = async (file: string) => {
        if (readFileSync(file).length < CONTENT.length) throw new Error("half of the file");
      };
      await refuses([short], "a complete file", "half of the file", { check });
      await succeeds([rest], { check });
    });

    it("is refused: one that sends wrong bytes", () =>
      refuses([whole(OTHER)], `a file of SHA-256 ${SHA256}`, digest(OTHER), { sha256: SHA256 }));

    it("continues after a part that ends early", async () => {
      const cutOff = cut(CONTENT, HALF, inFolder("downloads"));
      await succeeds([cutOff, part(HALF, HALF + 9, CONTENT.length, CONTENT.subarray(HALF, HALF + 10)), rest]);
      assert.equal(server.requests[2].headers.range, `bytes=${HALF + 10}-`);
    });

    it("continues after a part that was not requested", async () => {
      await succeeds([part(0, HALF - 1, CONTENT.length, CONTENT.subarray(0, HALF)), rest]);
      assert.equal(server.requests[1].headers.range, `bytes=${HALF}-`);
    });

    it("starts from scratch after a part of an unknown file", async () => {
      const other = status206("pages 3-4", CONTENT.subarray(0, 10));
      await succeeds([other, rest]);
      assert.equal(server.requests[1].headers.range, undefined);
    });
  });

  describe("redirects", () => {
    it("is followed", async () => {
      await succeeds([redirect("/elsewhere"), rest]);
      assert.deepEqual(
        server.requests.map(({ url }) => url),
        ["/file.bin", "/elsewhere"],
      );
    });

    it("is refused if it redirects in a loop, at once", async () => {
      await refuses([redirect("/file.bin")], "to download", "more than 5 redirects");
      assert.equal(server.requests.length, 6);
    });

    it("is refused if it redirects to something other than HTTP", () =>
      refuses([redirect("file:///etc/passwd")], "to download", "a redirect to file://"));

    it("may state the digest on the way, also after an error", async () => {
      const stated = (sha256: string) => redirect("/store", { "x-digest": `"${sha256}"` });
      await succeeds([status(500), stated(SHA256), rest], { digestHeader: "x-digest" });
    });

    it("is refused if its file has another digest than it stated", () =>
      refuses(
        [redirect("/s", { "x-digest": SHA256 }), whole(OTHER)],
        `a file of SHA-256 ${SHA256}`,
        digest(OTHER),
        {
          digestHeader: "x-digest",
        },
      ));
  });

  describe("is busy", () => {
    for (const code of [429, 503])
      it(`is asked again after the time that it names with status ${code}`, async () => {
        const times: number[] = [];
        const timed =
          (answer: Answer): Answer =>
          (request, response) => {
            times.push(performance.now());
            answer(request, response);
          };
        await succeeds([timed(status(code, { "retry-after": "1" })), timed(rest)]);
        assert.ok(times[1] - times[0] >= 950, String(times[1] - times[0]));
      });

    it("is given up if it names an hour", async () => {
      const found = "status 429 Too Many Requests, and a request to wait 3600 seconds";
      await refuses([status(429, { "retry-after": "3600" })], "to download", found);
      assert.equal(server.requests.length, 1);
    });
  });

  describe("is asked by several at once", () => {
    it("sends the file once", async () => {
      const slow: Answer = async (request, response) => {
        await setTimeout(50);
        rest(request, response);
      };
      server.answers = [slow];
      await Promise.all([start(), start(), start()]);
      assert.equal(server.requests.length, 1);
      assert.deepEqual(files(), ["file.bin"]);
    });

    it("sends it to another process when the first one is killed, of which nothing is left", async () => {
      let isHalf = () => {};
      const half = new Promise<void>((resolve) => {
        isHalf = resolve;
      });
      server.answers = [halfThen(() => isHalf()), rest];
      const file = inFolder("downloads/file.bin");
      const code = `require("./src/download.ts").downloadFile(...${JSON.stringify([server.url, file, { instead: INSTEAD }])})`;
      const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", code], {
        cwd: projectDir,
        stdio: "inherit",
      });
      await half;
      const downloaded = start();
      await setTimeout(100);
      assert.equal(server.requests.length, 1, "waits for the other process");
      child.kill("SIGKILL");
      await downloaded;
      assert.deepEqual(files(), ["file.bin"]);
      assert.ok(readFileSync(file).equals(CONTENT));
    });
  });

  describe("is not to be asked, since ferkit is offline,", () => {
    beforeEach(() => {
      process.env.FERKIT_OFFLINE = "1";
    });
    afterEach(() => {
      delete process.env.FERKIT_OFFLINE;
    });

    it("gets no connection", async () => {
      const { connect } = net.Socket.prototype;
      let numSockets = 0;
      net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
        numSockets++;
        return Reflect.apply(connect, this, args);
      } as typeof connect;
      try {
        await assert.rejects(start(), {
          name: "InputError",
          message: `Expected a file that is in the cache, since ferkit is offline, at ${inFolder("downloads/file.bin")} but found none. ${INSTEAD}`,
        });
      } finally {
        net.Socket.prototype.connect = connect;
      }
      assert.deepEqual(
        [numSockets, server.requests.length, existsSync(inFolder("downloads"))],
        [0, 0, false],
      );
    });

    it("is not needed for a file that is there", async () => {
      mkdirSync(inFolder("downloads"));
      writeFileSync(inFolder("downloads/file.bin"), CONTENT);
      await start();
      assert.equal(server.requests.length, 0);
    });
  });
});
