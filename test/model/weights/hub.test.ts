import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { hubUrl, hubWeights } from "../../../src/model/weights/hub.js";
import { loadPretrained } from "../../../src/model/weights/pretrained.js";
import { fromTorch } from "../../../src/model/weights/torch-layout.js";
import type { LoadProgress } from "../../../src/progress.js";
import { safetensorsBytes, sorted, timmTensors } from "./weight-files.js";

const B0 = "/timm/tf_efficientnet_b0.ns_jft_in1k/resolve/main/model.safetensors";
const LITE1 = "/timm/tf_efficientnet_lite1.in1k/resolve/main/model.safetensors";
const BY_OTHER_MEANS = "Download the file by other means and give its path: --set weights=PATH";

describe("the Hugging Face hub", () => {
  let folder: string;
  let server: Server;
  let host: string;
  /** What the server has at a path, and the digest that it states of it. */
  let files: Map<string, { content: Buffer; digest?: string }>;
  let requests: string[];
  let environment: NodeJS.ProcessEnv;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-hub-"));
    files = new Map();
    requests = [];
    // As the hub does: redirects to a store, and states the digest on the way.
    server = createServer(({ url = "", method }, response) => {
      requests.push(`${method} ${url}`);
      const file = files.get(url.replace("/store", ""));
      if (!file) response.writeHead(404).end();
      else if (url.startsWith("/store"))
        response.writeHead(200, { "content-length": file.content.length }).end(file.content);
      else {
        const stated = file.digest ? { "x-linked-etag": `"${file.digest}"` } : undefined;
        response.writeHead(302, { location: `/store${url}`, ...stated }).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    environment = { ...process.env };
    process.env.FERKIT_HUB_URL = host;
    process.env.FERKIT_CACHE = folder;
  });
  afterEach(async () => {
    for (const name of ["FERKIT_HUB_URL", "FERKIT_CACHE"])
      if (environment[name] === undefined) delete process.env[name];
      else process.env[name] = environment[name];
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
  const sha256 = (content: Buffer) => createHash("sha256").update(content).digest("hex");

  describe("hubUrl", () => {
    it("names timm's default weights of the SAME-padded family", () => {
      assert.equal(hubUrl("b0"), host + B0);
      assert.equal(hubUrl("lite1"), host + LITE1);
      delete process.env.FERKIT_HUB_URL;
      assert.equal(hubUrl("b0"), `https://huggingface.co${B0}`);
    });
  });

  describe("hubWeights", () => {
    it("gives the digest that the hub states before it redirects", async () => {
      files.set(B0, { content: Buffer.from("abc"), digest: "ab".repeat(32) });
      assert.deepEqual(await hubWeights("b0", "Wait."), { url: host + B0, sha256: "ab".repeat(32) });
      assert.deepEqual(requests, [`HEAD ${B0}`]);
    });

    it("takes nothing else for a digest", async () => {
      files.set(B0, { content: Buffer.from("abc"), digest: "ab".repeat(20) });
      assert.deepEqual(await hubWeights("b0", "Wait."), { url: host + B0, sha256: undefined });
    });

    it("says that the hub cannot be reached", async () => {
      await new Promise((resolve) => server.close(resolve));
      await assert.rejects(hubWeights("b0", "Wait."), ({ name, message }: Error) => {
        assert.equal(name, "InputError");
        assert.ok(message.startsWith(`Expected to download at ${host}${B0} but found fetch failed`), message);
        assert.match(message, /ECONNREFUSED.*\. Wait\.$/);
        return true;
      });
    });
  });

  describe("loadPretrained", () => {
    const tensors = sorted(timmTensors("b0"));
    const content = safetensorsBytes(tensors);
    const cached = () => path.join(folder, "weights/tf_efficientnet_b0.safetensors");

    it("downloads weights once and keeps them", async () => {
      files.set(B0, { content, digest: sha256(content) });
      const progress: LoadProgress[] = [];
      const first = await loadPretrained("b0", { onProgress: (step) => progress.push(step) });
      assert.equal(first.source, cached());
      assert.deepEqual(first.parameters, fromTorch(tensors, "b0", cached()));
      assert.ok(content.equals(await readFile(cached())));
      const { length } = content;
      assert.deepEqual(progress.at(-1), { stage: "download", done: length, total: length, unit: "bytes" });
      const numRequests = requests.length;
      assert.deepEqual(await loadPretrained("b0"), first);
      assert.equal(requests.length, numRequests);
    });

    it("refuses weights of another digest than the hub states, and keeps nothing", async () => {
      files.set(B0, { content, digest: "ab".repeat(32) });
      await assert.rejects(loadPretrained("b0"), {
        name: "InputError",
        message:
          `Expected a file of SHA-256 ${"ab".repeat(32)} at ${host}${B0} but found ${sha256(content)}. ` +
          BY_OTHER_MEANS,
      });
      assert.deepEqual(await readdir(path.dirname(cached())), []);
    });

    it("says that the hub has no such file, and how to get it otherwise", async () => {
      const refusal = (url: string, fix: string) => ({
        name: "InputError",
        message: `Expected to download at ${host}${url} but found status 404 Not Found. ${fix}`,
      });
      await assert.rejects(loadPretrained("b0"), refusal(B0, BY_OTHER_MEANS));
      await assert.rejects(loadPretrained("lite1"), refusal(LITE1, "Run: npm run setup -- --weights lite1"));
      assert.equal(existsSync(cached()), false);
    });

    it("says how to be rid of a damaged file in the cache", async () => {
      files.set(B0, { content: content.subarray(0, -4) });
      await assert.rejects(loadPretrained("b0"), {
        name: "InputError",
        message:
          `Expected a safetensors file at ${cached()} but found the end of the file within conv_stem.weight; ` +
          `it is cut short by 4 bytes. Run: rm ${cached()}, then this again, to download it anew.`,
      });
      await writeFile(cached(), content);
      assert.equal((await loadPretrained("b0")).source, cached());
    });
  });
});
