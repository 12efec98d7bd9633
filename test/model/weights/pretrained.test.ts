import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { cacheDir } from "../../../src/files.js";
import { parameterSpecs } from "../../../src/model/parameters.js";
import { loadPretrained } from "../../../src/model/weights/pretrained.js";
import { fromTorch, type TorchTensor } from "../../../src/model/weights/torch-layout.js";
import { checkpointBytes, pickle, safetensorsBytes, sorted, text, timmTensors } from "./weight-files.js";

describe("loadPretrained", () => {
  const lite0 = timmTensors("lite0");
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-pretrained-"));
    file = path.join(folder, "weights.bin");
  });
  afterEach(() => rm(folder, { recursive: true }));

  describe("of a given file", () => {
    const load = async (bytes: Uint8Array) => {
      await writeFile(file, bytes);
      return loadPretrained("lite0", { weights: file });
    };
    const refusal = (expected: string, found: string, fix: string) => ({
      name: "InputError",
      message: `Expected ${expected} at ${file} but found ${found}. ${fix}`,
    });
    const AGAIN = "Download the file again, or give another one.";

    it("reads the same parameters from a torch checkpoint and from safetensors", async () => {
      const inOrder = new Map(
        [...lite0.values()].map((tensor, i): [string, TorchTensor] => [`_${i}`, tensor]),
      );
      const expected = { parameters: fromTorch(lite0, "lite0", file), source: file };
      assert.deepEqual(await load(checkpointBytes(inOrder)), expected);
      assert.deepEqual(await load(safetensorsBytes(sorted(lite0))), expected);
    });

    it("names the variant that the weights are of", async () => {
      const expected = "weights of EfficientNet lite0";
      const fix = "Choose variant lite1, or give another file.";
      const bytes = safetensorsBytes(sorted(timmTensors("lite1")));
      await assert.rejects(load(bytes), refusal(expected, "those of lite1", fix));
    });

    it("refuses a planted os.system", async () => {
      const planted = pickle("cposix\nsystem\n", text(`touch ${folder}/planted`), "\x85R");
      const fix = "Do not trust this file: a pickle can run any code. Take the weights from their publisher.";
      await assert.rejects(
        load(planted),
        refusal("nothing but tensors in a checkpoint", "a call of posix.system", fix),
      );
      assert.equal(existsSync(path.join(folder, "planted")), false);
    });

    it("says that a file is cut short", async () => {
      const checkpoint = checkpointBytes(lite0).subarray(0, 1_000_000);
      const cut = "the end of the file after 1000000 bytes; it is cut short";
      await assert.rejects(load(checkpoint), refusal("a torch checkpoint", cut, AGAIN));
      const safetensors = safetensorsBytes(lite0).subarray(0, -4);
      const missing = "the end of the file within classifier.bias; it is cut short by 4 bytes";
      await assert.rejects(load(safetensors), refusal("a safetensors file", missing, AGAIN));
    });

    it("says how to convert a checkpoint of later torch, which is a zip archive", async () => {
      const fix =
        `Give the publisher's .safetensors file, or convert it to ${file}.old: ` +
        `python -c "import torch; torch.save(torch.load('${file}', map_location='cpu', weights_only=True), ` +
        `'${file}.old', _use_new_zipfile_serialization=False)"`;
      await assert.rejects(
        load(Buffer.from("PK\x03\x04\0\0\x08\x08\0\0")),
        refusal(
          "safetensors or a torch checkpoint of the format before torch 1.6",
          "a zip archive, as later torch writes",
          fix,
        ),
      );
    });

    it("refuses a file of another format", async () => {
      const expected = "safetensors or a torch checkpoint of the format before torch 1.6";
      for (const content of ["<html>no such page</html>", "version https://git-lfs.github.com/spec/v1", ""])
        await assert.rejects(
          load(Buffer.from(content)),
          refusal(expected, `neither in ${content.length} bytes`, "Give another file."),
        );
    });

    it("says that there is no such file", async () => {
      const fix = "Give the path of a file, or `imagenet` for the published weights.";
      await assert.rejects(
        loadPretrained("lite0", { weights: file }),
        refusal("a file of weights", "no such file", fix),
      );
    });

    it("says why a file cannot be read", async () => {
      await mkdir(file);
      const found = "the error EISDIR";
      await assert.rejects(
        loadPretrained("lite0", { weights: file }),
        refusal("a file of weights that can be read", found, "Mend its permissions, or give another file."),
      );
    });
  });

  describe("from the cache", () => {
    it("refuses a checkpoint of set-up's that has another digest", async () => {
      const before = process.env.FERKIT_CACHE;
      process.env.FERKIT_CACHE = folder;
      try {
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
      } finally {
        if (before === undefined) delete process.env.FERKIT_CACHE;
        else process.env.FERKIT_CACHE = before;
      }
    });

    for (const variant of ["lite0", "lite1", "lite2"] as const)
      it(`reads set-up's checkpoint of ${variant}`, async function () {
        const checkpoint = path.join(cacheDir(), `weights/efficientnet-${variant}.pth`);
        if (!existsSync(checkpoint)) {
          console.log(`      skipped: not in the cache; run \`npm run setup -- --weights ${variant}\``);
          this.skip();
        }
        const { parameters, source } = await loadPretrained(variant);
        assert.equal(source, checkpoint);
        for (const { name, shape, kind } of parameterSpecs(variant, 1000)) {
          assert.deepEqual(parameters.get(name)?.shape, shape, name);
          assert.ok(parameters.get(name)?.data.every(Number.isFinite), name);
          if (kind === "movingVariance")
            assert.ok(
              parameters.get(name)?.data.every((x) => x >= 0),
              name,
            );
        }
      });
  });
});
