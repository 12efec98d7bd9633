import http from "node:http";
import type { AddressInfo } from "node:net";

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

/** Answers with the whole of a file. */
export const whole =
  (content: Buffer): Answer =>
  (_, response) =>
    response.writeHead(200, { "content-length": content.length }).end(content);

/** Answers with the part of a file that is asked for, from some byte on. */
export const ranged =
  (content: Buffer): Answer =>
  (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1]);
    if (start >= content.length)
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    else {
      const range = `bytes ${start}-${content.length - 1}/${content.length}`;
      const headers = { "content-range": range, "content-length": content.length - start };
      response.writeHead(206, headers).end(content.subarray(start));
    }
  };

/** Answers with an error. */
export const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code).end("an error page");
