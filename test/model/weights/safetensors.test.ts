import assert from "node:assert/strict";
import { InputError } from "../../../src/errors.js";
import { isSafetensors, readSafetensors } from "../../../src/model/weights/safetensors.js";
import { safetensorsBytes, withHeader } from "./weight-files.js";

describe("readSafetensors", () => {
  const tensors = new Map([
    ["weight", { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["bias", { shape: [2], data: Float32Array.of(-1, 0.5) }],
  ]);
  const read = (bytes: Buffer) => readSafetensors(bytes, "a.safetensors").tensors;
  const one = (dtype: string, shape: unknown, offsets: unknown, data = new Uint8Array(8)) =>
    withHeader({ x: { dtype, shape, data_offsets: offsets } }, data);
  const refusal = (found: string) => ({
    name: "InputError",
    message: `Expected a safetensors file at a.safetensors but found ${found}. Download the file again or choose another one.`,
  });

  it("reads tensors by name, in the order of the header", () => {
    assert.deepEqual([...read(safetensorsBytes(tensors))], [...tensors]);
  });

  it("reads tensors in the order of its metadata, if that has one", () => {
    const header = { b: entry("F32", [1], [4, 8]), a: entry("F32", [1], [0, 4]) };
    const __metadata__ = { "ferkit.names": JSON.stringify(["a", "b"]) };
    const bytes = withHeader({ __metadata__, ...header }, Buffer.from(Float32Array.of(1.5, -2).buffer));
    assert.deepEqual([...read(bytes).keys()], ["a", "b"]);
  });

  it("reads numbers that begin at any byte, in any order, with padding after the header", () => {
    const header = { b: entry("F32", [1], [4, 8]), a: entry("F32", [1], [0, 4]) };
    const data = Buffer.from(Float32Array.of(1.5, -2).buffer);
    for (let padding = 0; padding < 4; padding++) {
      const text = JSON.stringify(header) + " ".repeat(padding);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      const found = read(Buffer.concat([length, Buffer.from(text), data]));
      assert.deepEqual(
        [...found.values()].map((tensor) => tensor.data[0]),
        [-2, 1.5],
      );
    }
  });

  it("widens half-precision numbers", () => {
    // binary16: 1, -2, largest 65504, smallest 2⁻²⁴, infinity; bfloat16: the upper halves of 1, -2 and 2⁷.
    const binary16 = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00);
    const half = read(one("F16", [5], [0, 10], new Uint8Array(binary16.buffer))).get("x");
    assert.deepEqual(half?.data, Float32Array.of(1, -2, 65504, 2 ** -24, Number.POSITIVE_INFINITY));
    const brain = Uint16Array.of(0x3f80, 0xc000, 0x4300);
    const wide = read(one("BF16", [3], [0, 6], new Uint8Array(brain.buffer))).get("x");
    assert.deepEqual(wide?.data, Float32Array.of(1, -2, 128));
  });

  it("reads double precision", () => {
    const double = new Uint8Array(Float64Array.of(0.25).buffer);
    assert.deepEqual(read(one("F64", [1], [0, 8], double)).get("x")?.data, Float32Array.of(0.25));
  });

  it("reads counters, which torch keeps as int64", () => {
    const counter = new Uint8Array(BigInt64Array.of(7n).buffer);
    assert.deepEqual(read(one("I64", [], [0, 8], counter)).get("x"), {
      shape: [],
      data: Float32Array.of(7),
      integers: "I64",
    });
  });

  it("refuses a header longer than the file", () => {
    const bytes = withHeader({});
    bytes.writeBigUInt64LE(3n);
    assert.throws(() => read(bytes), refusal("a header of 3 bytes in a file of 10"));
  });

  it("refuses a file that begins otherwise", () => {
    assert.throws(() => read(Buffer.from("<html>no such page</html>")), refusal("no header"));
    assert.throws(() => read(Buffer.alloc(0)), refusal("no header"));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(2n);
    assert.throws(
      () => read(Buffer.concat([length, Buffer.from("{{")])),
      refusal("a header that is not JSON (line 1, column 2: { instead of a name in double quotes)"),
    );
  });

  it("refuses a header with the same name twice", () => {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    const header = Buffer.from(`{"x":${entry},"x":${entry}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    assert.throws(
      () => read(Buffer.concat([length, header, Buffer.alloc(4)])),
      refusal('a header that is not JSON (line 1, column 55: the name "x" for the second time)'),
    );
  });

  it("refuses offsets outside the file", () => {
    assert.throws(
      () => read(one("F32", [3], [0, 12])),
      refusal("the end of the file within x; it is cut short by 4 bytes"),
    );
    assert.throws(() => read(one("F32", [1], [-4, 0])), refusal("no type, shape and offsets for x"));
    assert.throws(() => read(one("F32", [1], [8, 4])), refusal("-4 bytes instead of 4 for x"));
  });

  it("refuses bytes that the shape does not account for", () => {
    assert.throws(() => read(one("F32", [3], [0, 8])), refusal("8 bytes instead of 12 for x"));
    assert.throws(() => read(one("F16", [3], [0, 8])), refusal("8 bytes instead of 6 for x"));
  });

  it("refuses tensors that share bytes, of which a small file could have thousands", () => {
    const offsets: [number, number][][] = [
      [
        [0, 8],
        [0, 8],
      ],
      [
        [0, 8],
        [4, 8],
      ],
      [
        [4, 8],
        [0, 8],
      ],
    ];
    for (const [a, b] of offsets) {
      const shape = ([start, end]: number[]) => [(end - start) / 4];
      const header = { a: entry("F32", shape(a), a), b: entry("F32", shape(b), b) };
      assert.throws(
        () => read(withHeader(header, Buffer.alloc(8))),
        /found bytes that (a and b|b and a) share\. /,
      );
    }
    const empty = { a: entry("F32", [2], [0, 8]), b: entry("F32", [0], [4, 4]) };
    assert.equal(read(withHeader(empty, Buffer.alloc(8))).size, 2);
  });

  it("refuses metadata that is no text, and an order of other names", () => {
    const one = { a: entry("F32", [1], [0, 4]) };
    for (const __metadata__ of [{ a: 1 }, { a: null }, [[]]])
      assert.throws(
        () => read(withHeader({ __metadata__, ...one }, Buffer.alloc(4))),
        refusal("metadata other than texts"),
      );
    assert.equal(read(withHeader({ __metadata__: null, ...one }, Buffer.alloc(4))).size, 1);
    for (const names of ["{", "null", '["b"]', '["a","a"]', "[]"])
      assert.throws(
        () => read(withHeader({ __metadata__: { "ferkit.names": names }, ...one }, Buffer.alloc(4))),
        refusal("an order in its metadata that is not that of its tensors"),
      );
  });

  it("refuses numbers of other kinds", () => {
    for (const type of ["F8_E4M3", "toString"])
      assert.throws(() => read(one(type, [8], [0, 8])), {
        name: "InputError",
        message:
          "Expected numbers of type F64, F32, F16, BF16, I64, I32, U8, BOOL at a.safetensors " +
          `but found ${type} for x. Save the weights in one of these types.`,
      });
  });

  it("refuses entries that are incomplete", () => {
    for (const damaged of [null, 1, [], {}, entry("F32", [-1], [0, 4]), entry("F32", [1], [0])])
      assert.throws(() => read(withHeader({ x: damaged })), refusal("no type, shape and offsets for x"));
  });

  it("says that a file is cut short, wherever that is", () => {
    const whole = safetensorsBytes(tensors);
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => read(whole.subarray(0, length)), InputError, `${length} bytes`);
  });
});

describe("isSafetensors", () => {
  it("goes by the length of the header and its first byte", () => {
    assert.equal(isSafetensors(withHeader({})), true);
    assert.equal(isSafetensors(Buffer.from("PK\x03\x04, a zip archive")), false);
    assert.equal(isSafetensors(Buffer.from("{}")), false);
    assert.equal(isSafetensors(Buffer.from("my text:{}")), false);
  });
});

function entry(dtype: string, shape: number[], offsets: number[]) {
  return { dtype, shape, data_offsets: offsets };
}
