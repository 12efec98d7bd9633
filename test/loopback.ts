import { readdirSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A server on this machine that each test of a suite gets anew. */
export interface Loopback {
  url: string;
  /** The first answers the first request, and so on; the last all that follow. */
  answers: Answer[];
  requests: http.IncomingMessage[];
  close(): Promise<void>;
}

/** To call inside `describe`. */
export function loopback(): Loopback {
  let server: http.Server;
  const self: Loopback = {
    url: "",
    answers: [],
    requests: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  beforeEach((done) => {
    self.requests = [];
    server = http.createServer((request, response) => {
      self.requests.push(request);
      self.answers[Math.min(self.requests.length, self.answers.length) - 1](request, response);
    });
    server.listen(0, "127.0.0.1", () => {
      self.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.bin`;
      done();
    });
  });
  afterEach(() => self.close());
  return self;
}

/** What tells a version of a file, as headers of an answer. */
export const VERSION = { etag: '"1"' };

/** Answers with the whole of a file. */
export const whole =
  (content: Buffer, version: http.OutgoingHttpHeaders = VERSION): Answer =>
  (_, response) =>
    response.writeHead(200, { "content-length": content.length, ...version }).end(content);

/** Answers with the part of a file that is asked for, from some byte on; with the whole where another version is asked for. */
export const ranged =
  (content: Buffer, version: http.OutgoingHttpHeaders = VERSION): Answer =>
  (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1]);
    const isSame = Object.values(version).includes(request.headers["if-range"]);
    if (!isSame) whole(content, version)(request, response);
    else if (start >= content.length)
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    else {
      const range = `bytes ${start}-${content.length - 1}/${content.length}`;
      const headers = { "content-range": range, "content-length": content.length - start, ...version };
      response.writeHead(206, headers).end(content.subarray(start));
    }
  };

/** Breaks off after so many bytes, once a download in the folder has them on the disk. */
export const cut =
  (content: Buffer, length: number, folder: string, version: http.OutgoingHttpHeaders = VERSION): Answer =>
  async (_, response) => {
    const headers = { "content-length": content.length, ...version };
    response.writeHead(200, headers).write(content.subarray(0, length));
    const sizes = () =>
      readdirSync(folder).map(
        (name) => statSync(path.join(folder, name, "bytes"), { throwIfNoEntry: false })?.size,
      );
    while (!response.destroyed && !sizes().includes(length)) await setTimeout(5);
    response.destroy();
  };

/** Answers with an error. */
export const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code).end("an error page");
