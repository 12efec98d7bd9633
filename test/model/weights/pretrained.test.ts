import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { cacheDir } from "../../../src/files.js";
import { conventions } from "../../../src/model/conventions.js";
import { parameterSpecs } from "../../../src/model/parameters.js";
import { loadPretrained } from "../../../src/model/weights/pretrained.js";
import { readStateDict } from "../../../src/model/weights/state-dict.js";
import type { LoadProgress } from "../../../src/progress.js";
import { safetensorsBytes, sorted, timmTensors } from "./weight-files.js";

describe("loadPretrained", () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-pretrained-"));
    environment = { ...process.env };
  });
  afterEach(async () => {
    for (const name of ["FERKIT_HUB_URL", "FERKIT_CACHE"])
      if (environment[name] === undefined) delete process.env[name];
      else process.env[name] = environment[name];
    await rm(folder, { recursive: true });
  });

  describe("from the cache", () => {
    it("refuses a checkpoint from set-up that has another digest", async () => {
      process.env.FERKIT_CACHE = folder;
      const checkpoint = path.join(folder, "weights/efficientnet-lite0.pth");
      await mkdir(path.dirname(checkpoint));
      await writeFile(checkpoint, "hello\n");
      await assert.rejects(loadPretrained("lite0"), {
        name: "InputError",
        // printf 'hello\n' | sha256sum
        message:
          "Expected a file of SHA-256 579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db " +
          `at ${checkpoint} but found 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03. ` +
          `Run: rm ${checkpoint} && npm run setup -- --weights lite0`,
      });
    });

    for (const variant of ["lite0", "lite1", "lite2"] as const)
      it(`reads the checkpoint of ${variant} from set-up`, async function () {
        if (!existsSync(path.join(cacheDir(), `weights/efficientnet-${variant}.pth`))) {
          console.log(`      skipped: not in the cache; run \`npm run setup -- --weights ${variant}\``);
          this.skip();
        }
        const { parameters } = await loadPretrained(variant);
        for (const { name, shape, kind } of parameterSpecs(variant, 1000)) {
          const value = parameters.get(name);
          assert.deepEqual(value?.shape, shape, name);
          assert.ok(value?.data.every(Number.isFinite), name);
          if (kind === "movingVariance")
            assert.ok(
              value?.data.every((x) => x >= 0),
              name,
            );
        }
      });
  });

  it("converts a checkpoint from set-up once, and again after the result was damaged", async function () {
    const checkpoint = path.join(cacheDir(), "weights/efficientnet-lite0.pth");
    if (!existsSync(checkpoint)) this.skip();
    process.env.FERKIT_CACHE = folder;
    await mkdir(path.join(folder, "weights"));
    await symlink(checkpoint, path.join(folder, "weights/efficientnet-lite0.pth"));
    const converted = path.join(folder, "weights/efficientnet-lite0.safetensors");
    const read = async () => [...(await loadPretrained("lite0")).parameters].map(([, { data }]) => data);
    const first = await read();
    const { ino } = await stat(converted);
    assert.deepEqual(await read(), first);
    assert.equal((await stat(converted)).ino, ino, "not written again");
    await writeFile(converted, "hello\n");
    assert.deepEqual(await read(), first);
    assert.notEqual((await stat(converted)).size, 6);
  });

  describe("from the Hugging Face hub", () => {
    const B0 = "/timm/tf_efficientnet_b0.ns_jft_in1k/resolve/main/model.safetensors";
    const LITE1 = "/timm/tf_efficientnet_lite1.in1k/resolve/main/model.safetensors";
    const BY_OTHER_MEANS = "Download the file by other means and choose it: --set weights=PATH";
    const tensors = sorted(timmTensors("b0"));
    const content = safetensorsBytes(tensors);
    let server: Server;
    let host: string;
    /** What the server has at a path, and the digest that it states. */
    let files: Map<string, { content: Buffer; digest?: string }>;
    let requests: string[];

    beforeEach(async () => {
      files = new Map();
      requests = [];
      // As on the hub: redirects to a store, and states the digest on the way.
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
      process.env.FERKIT_HUB_URL = host;
      process.env.FERKIT_CACHE = folder;
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    const cached = () => path.join(folder, "weights/tf_efficientnet_b0.safetensors");

    it("downloads timm's default weights of the SAME-padded family once, and keeps them", async () => {
      files.set(B0, { content, digest: sha256(content) });
      const progress: LoadProgress[] = [];
      const first = await loadPretrained("b0", (step) => progress.push(step));
      assert.deepEqual(requests, [`GET ${B0}`, `GET /store${B0}`]);
      assert.deepEqual(first.parameters, readStateDict(tensors, "b0", cached()).parameters);
      assert.deepEqual([first.conventions, first.notes], [conventions("b0"), []]);
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

    it("takes nothing but a SHA-256 as a digest", async () => {
      files.set(B0, { content, digest: "ab".repeat(20) });
      assert.equal((await loadPretrained("b0")).parameters.size, parameterSpecs("b0", 1000).length);
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

    it("says that the hub cannot be reached", async () => {
      process.env.FERKIT_HUB_URL = "http://127.0.0.1:1/";
      await assert.rejects(loadPretrained("b0"), ({ name, message }: Error) => {
        assert.equal(name, "InputError");
        const start = `Expected to download at http://127.0.0.1:1${B0} but found fetch failed (`;
        assert.ok(message.startsWith(start) && message.endsWith(`). ${BY_OTHER_MEANS}`), message);
        return true;
      });
    });

    it("refuses a damaged file for which the hub states no digest, and keeps nothing", async () => {
      files.set(B0, { content: content.subarray(0, -4) });
      await assert.rejects(loadPretrained("b0"), {
        name: "InputError",
        message:
          `Expected a complete file at ${host}${B0} but found the end of the file within conv_stem.weight; ` +
          `it is cut short by 4 bytes. ${BY_OTHER_MEANS}`,
      });
      assert.deepEqual(await readdir(path.dirname(cached())), []);
    });

    it("says how to remove a damaged file from the cache", async () => {
      await mkdir(path.dirname(cached()));
      await writeFile(cached(), content.subarray(0, -4));
      await assert.rejects(loadPretrained("b0"), {
        name: "InputError",
        message:
          `Expected a safetensors file at ${cached()} but found the end of the file within conv_stem.weight; ` +
          `it is cut short by 4 bytes. Run: rm ${cached()}, then try again.`,
      });
    });
  });
});
