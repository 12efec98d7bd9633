import { readdirSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

export type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** A server on this machine, a new one for each test of a suite. */
export interface Loopback {
  url: string;
  /** The first answers the first request, and so on; the last answers all that follow. */
  answers: Answer[];
  requests: http.IncomingMessage[];
  close(): Promise<void>;
}

/** Call it inside `describe`. */
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

/** Headers that name a version of a file. */
export const VERSION = { etag: '"1"' };

/** Answers with the whole file. */
export const whole =
  (content: Buffer, version: http.OutgoingHttpHeaders = VERSION): Answer =>
  (_, response) =>
    response.writeHead(200, { "content-length": content.length, ...version }).end(content);

/** Answers with the requested part of a file, or with the whole file if another version is requested. */
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

/** Closes the connection once a download into the folder has written the first `length` bytes of the file. */
export const cut =
  (content: Buffer, length: number, folder: string, version: http.OutgoingHttpHeaders = VERSION): Answer =>
  async (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
    const headers = { "content-length": content.length - start, ...(start > 0 && range), ...version };
    response.writeHead(start > 0 ? 206 : 200, headers).write(content.subarray(start, length));
    const sizes = () => readdirSync(folder).map((name) => statSync(path.join(folder, name)).size);
    while (!response.destroyed && !sizes().includes(length)) await setTimeout(5);
    response.destroy();
  };

/** Answers with an error. */
export const status =
  (code: number, headers: http.OutgoingHttpHeaders = {}): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end("an error page");

/** Redirects to another address. */
export const redirect = (location: string, headers: http.OutgoingHttpHeaders = {}): Answer =>
  status(302, { location, ...headers });
