import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { InputError } from "../../../src/errors.js";
import { cacheDir } from "../../../src/files.js";
import { readTorchCheckpoint } from "../../../src/model/weights/torch-checkpoint.js";
import type { TorchTensor } from "../../../src/model/weights/torch-layout.js";
import { checkpointBytes, checkpointHead, pickle, text } from "./weight-files.js";

const AGAIN = "Download the file again, or give another one.";

describe("readTorchCheckpoint", () => {
  const matrix: TorchTensor = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const tensors = new Map([
    ["weight", matrix],
    ["bias", { shape: [2], data: Float32Array.of(-1, 0.5) }],
  ]);
  const read = (bytes: Buffer) => readTorchCheckpoint(bytes, "a.pth");
  const notACheckpoint = (found: string) => ({
    name: "InputError",
    message: `Expected a torch checkpoint at a.pth but found ${found}. ${AGAIN}`,
  });

  it("reads tensors by name, in their order", () => {
    assert.deepEqual([...read(checkpointBytes(tensors))], [...tensors]);
  });

  it("reads a tensor whose axes are swapped in its storage, or that begins within it", () => {
    const transposed = { shape: [3, 2], data: matrix.data };
    const bytes = checkpointBytes(new Map([["weight", transposed]]), () => ({ offset: 0, strides: [1, 3] }));
    // Rows of the storage, 1 2 3 and 4 5 6, have become columns.
    assert.deepEqual(read(bytes).get("weight"), { shape: [3, 2], data: Float32Array.of(1, 4, 2, 5, 3, 6) });
    const tail = { shape: [2], data: matrix.data };
    const later = checkpointBytes(new Map([["weight", tail]]), () => ({ offset: 4, strides: [1] }));
    assert.deepEqual(read(later).get("weight"), { shape: [2], data: Float32Array.of(5, 6) });
  });

  it("reads counters, which torch keeps as int64", () => {
    const bytes = checkpointBytes(new Map([["steps", { shape: [], data: new Float32Array(2) }]]));
    const counter = Buffer.from(bytes.toString("latin1").replace("FloatStorage", "LongStorage"), "latin1");
    counter.writeInt32LE(1, counter.indexOf("cpu") + 4);
    // The storage: a count of 1, then 7 as int64, where there were a count of 2 and two float32.
    counter.writeBigInt64LE(1n, counter.length - 16);
    counter.writeBigInt64LE(7n, counter.length - 8);
    assert.deepEqual(read(counter).get("steps"), { shape: [], data: Float32Array.of(7) });
  });

  it("refuses a planted os.system among the tensors", () => {
    const planted = Buffer.concat([
      checkpointHead(),
      pickle("}", text("weight"), "cposix\nsystem\n", text("touch planted"), "\x85Rs"),
    ]);
    assert.throws(() => read(planted), {
      name: "InputError",
      message:
        "Expected nothing but tensors in a checkpoint at a.pth but found a call of posix.system. " +
        "Do not trust this file: a pickle can run any code. Take the weights from their publisher.",
    });
  });

  it("refuses a pickle of another kind", () => {
    assert.throws(() => read(pickle("K\x01")), notACheckpoint("no torch magic number"));
    const list = Buffer.concat([checkpointHead(), pickle("]"), pickle("]")]);
    assert.throws(() => read(list), notACheckpoint("no dictionary of tensors"));
  });

  it("refuses a tensor outside its storage", () => {
    for (const layout of [
      { offset: 1, strides: [3, 1] },
      { offset: 0, strides: [4, 1] },
    ])
      assert.throws(
        () => read(checkpointBytes(new Map([["weight", matrix]]), () => layout)),
        notACheckpoint("a tensor outside its storage"),
      );
  });

  it("refuses a small storage that is said to fill a great tensor", () => {
    const great = { shape: [2 ** 20, 2 ** 20], data: Float32Array.of(1) };
    assert.throws(
      () => read(checkpointBytes(new Map([["weight", great]]), () => ({ offset: 0, strides: [0, 0] }))),
      notACheckpoint("a tensor outside its storage"),
    );
  });

  it("refuses sizes below zero", () => {
    assert.throws(
      () => read(checkpointBytes(new Map([["weight", matrix]]), () => ({ offset: 5, strides: [-3, -1] }))),
      notACheckpoint("a tensor without storage, shape or strides"),
    );
  });

  it("refuses a storage of another length than its tensor says", () => {
    const bytes = checkpointBytes(new Map([["weight", matrix]]));
    bytes.writeBigInt64LE(5n, bytes.length - 24 - 8);
    assert.throws(() => read(bytes), notACheckpoint("a storage of 5 numbers in place of 6"));
    const none = Buffer.concat([checkpointHead(), pickle("}"), pickle("]", text("9"), "a")]);
    assert.throws(() => read(none), notACheckpoint("a storage 9 that no tensor uses"));
  });

  it("says where a file is cut short, wherever that is", () => {
    const whole = checkpointBytes(tensors);
    for (let length = 0; length < whole.length; length++)
      assert.throws(
        () => read(whole.subarray(0, length)),
        notACheckpoint(`the end of the file after ${length} bytes; it is cut short`),
      );
  });

  it("gives tensors or an InputError whichever byte is damaged", () => {
    const whole = checkpointBytes(tensors);
    let numRefused = 0;
    for (let place = 0; place < whole.length; place++)
      for (const byte of [0, 0xff, ...Buffer.from("().NRQte}]")]) {
        const damaged = Buffer.from(whole);
        damaged[place] = byte;
        try {
          read(damaged);
        } catch (error) {
          assert.ok(error instanceof InputError, `byte ${byte} at ${place}: ${(error as Error).stack}`);
          numRefused++;
        }
      }
    assert.ok(numRefused > whole.length, String(numRefused));
  });

  it("reads the published weights of lite0", function () {
    const file = path.join(cacheDir(), "weights/efficientnet-lite0.pth");
    if (!existsSync(file)) {
      console.log("      skipped: no weights in the cache; run `npm run setup`");
      this.skip();
    }
    const published = readTorchCheckpoint(readFileSync(file), file);
    assert.equal(published.size, 296);
    assert.deepEqual(published.get("_conv_stem.weight")?.shape, [32, 3, 3, 3]);
    assert.deepEqual(published.get("_fc.weight")?.shape, [1000, 1280]);
  });
});
