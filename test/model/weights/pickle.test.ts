import assert from "node:assert/strict";
import { PickleReader } from "../../../src/model/weights/pickle.js";
import { integer, pickle, text } from "./weight-files.js";

const REFUSAL = "Do not trust this file: a pickle can run any code. Take the weights from their publisher.";
const AGAIN = "Download the file again, or give another one.";

describe("PickleReader", () => {
  const read = (...instructions: (string | Buffer)[]) => reader(pickle(...instructions)).read();
  const reader = (bytes: Buffer) =>
    new PickleReader(bytes, "a.pth", {
      globals: new Map<string, ((args: unknown[]) => unknown) | null>([
        ["shop.pair", (args) => ({ pair: args })],
        ["shop.Kind", null],
      ]),
      reference: (id) => ({ id }),
    });
  const refusal = (found: string) => ({
    name: "InputError",
    message: `Expected nothing but tensors in a checkpoint at a.pth but found ${found}. ${REFUSAL}`,
  });
  const notACheckpoint = (found: string) => ({
    name: "InputError",
    message: `Expected a torch checkpoint at a.pth but found ${found}. ${AGAIN}`,
  });

  it("reads plain data", () => {
    const list = ["](", "N", "\x88", "\x89", "K\x07", "M\x34\x12", integer(-5), "\x8a\x01\xff", "e"];
    assert.deepEqual(read(...list), [null, true, false, 7, 0x1234, -5, -1]);
    assert.deepEqual(read("G\x3f\xf8\0\0\0\0\0\0"), 1.5);
    assert.deepEqual(read("U\x02hi", text("zwölf"), "\x86"), ["hi", "zwölf"]);
    assert.deepEqual(
      read("}(", text("a"), "K\x01", text("b"), "K\x02", "u"),
      new Map([
        ["a", 1],
        ["b", 2],
      ]),
    );
    assert.deepEqual(read("}", text("a"), "K\x01", "s"), new Map([["a", 1]]));
    assert.deepEqual(read("\x8a\x09", Buffer.from("000000000000000001", "hex")), 2n ** 64n);
  });

  it("gives a value again that was kept", () => {
    assert.deepEqual(read("]q\x05K\x01ah\x05\x86"), [[1], [1]]);
  });

  it("calls the functions of its vocabulary and resolves references", () => {
    assert.deepEqual(read("cshop\npair\nK\x01K\x02\x86R"), { pair: [1, 2] });
    assert.deepEqual(read("K\x03Q"), { id: 3 });
  });

  it("reads one pickle after another, with raw bytes between them", () => {
    const file = reader(Buffer.concat([pickle("K\x01"), Buffer.from("raw"), pickle("K\x02")]));
    assert.equal(file.read(), 1);
    assert.equal(file.take(3).toString(), "raw");
    assert.equal(file.read(), 2);
  });

  it("refuses a planted os.system", () => {
    // What pickle.dumps writes for an object whose __reduce__ returns (os.system, ("touch planted",)).
    const planted = ["cos\nsystem\n", text("touch planted"), "\x85R"];
    assert.throws(() => read(...planted), refusal("a call of os.system"));
    assert.throws(
      () => read("c__builtin__\neval\n", text("1"), "\x85R"),
      refusal("a call of __builtin__.eval"),
    );
    assert.throws(() => read("c__proto__\nconstructor\n"), refusal("a call of __proto__.constructor"));
  });

  it("refuses to call what is no function", () => {
    assert.throws(() => read("cshop\nKind\n)R"), refusal("a call of shop.Kind"));
    assert.throws(() => read("K\x01)R"), refusal("a call of number"));
  });

  it("refuses instructions that data does not need", () => {
    // INST, which calls as well; OBJ; STACK_GLOBAL of protocol 4.
    assert.throws(() => read("(ios\nsystem\n"), refusal("pickle instruction 0x69"));
    assert.throws(() => read("(cshop\npair\no"), refusal("pickle instruction 0x6f"));
    assert.throws(() => read(text("os"), text("system"), "\x93"), refusal("pickle instruction 0x93"));
  });

  it("says where a file is cut short", () => {
    const whole = pickle(text("abc"), "cshop\nKind\n", "\x86");
    for (let length = 0; length < whole.length; length++)
      assert.throws(
        () => reader(whole.subarray(0, length)).read(),
        notACheckpoint(`the end of the file after ${length} bytes; it is cut short`),
      );
  });

  it("says what makes no sense", () => {
    assert.throws(() => read(""), notACheckpoint("an instruction without its value"));
    assert.throws(() => read("K\x01K\x02a"), notACheckpoint("an entry outside a list"));
    assert.throws(() => read("]K\x01K\x02s"), notACheckpoint("an entry outside a dictionary"));
  });
});
