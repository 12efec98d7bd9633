import assert from "node:assert/strict";
import { encodeModel } from "../../../src/model/onnx/messages.js";

describe("encodeModel", () => {
  it("writes a graph of one operation in protobuf's wire format", () => {
    const bytes = encodeModel({
      irVersion: 7,
      opset: 13,
      producer: { name: "f", version: "1" },
      graph: {
        name: "g",
        inputs: [{ name: "x", type: "uint8", shape: ["b", 3] }],
        nodes: [
          { name: "n", operator: "Op", inputs: ["x", "c"], output: "y", attributes: { i: 5, l: [1, 200] } },
        ],
        initializers: [{ name: "c", type: "uint8", shape: [2], bytes: Uint8Array.from([8, 9]) }],
        outputs: [{ name: "y", type: "float32", shape: [1] }],
      },
      metadata: { k: "v" },
    });
    // Each field is (number << 3 | wire type), then a varint, or a length and as many bytes.
    const text = (word: string) => [word.length, ...Buffer.from(word)];
    const message = (...fields: number[][]) => [fields.flat().length, ...fields.flat()];
    const node = message(
      [0x0a, ...text("x")],
      [0x0a, ...text("c")],
      [0x12, ...text("y")],
      [0x1a, ...text("n")],
      [0x22, ...text("Op")],
      [0x2a, ...message([0x0a, ...text("i")], [0x18, 5], [0xa0, 0x01, 2])],
      [0x2a, ...message([0x0a, ...text("l")], [0x42, 3, 1, 0xc8, 0x01], [0xa0, 0x01, 7])],
    );
    const constant = message([0x0a, 1, 2], [0x10, 2], [0x42, ...text("c")], [0x4a, 2, 8, 9]);
    const value = (name: string, type: number, ...dimensions: number[][]) =>
      message(
        [0x0a, ...text(name)],
        [0x12, ...message([0x0a, ...message([0x08, type], [0x12, ...message(...dimensions)])])],
      );
    const graph = message(
      [0x0a, ...node],
      [0x12, ...text("g")],
      [0x2a, ...constant],
      [0x5a, ...value("x", 2, [0x0a, ...message([0x12, ...text("b")])], [0x0a, ...message([0x08, 3])])],
      [0x62, ...value("y", 1, [0x0a, ...message([0x08, 1])])],
    );
    const [graphLength, ...graphFields] = graph;
    assert.ok(graphLength < 128);
    const expected = [
      [0x08, 7],
      [0x12, ...text("f")],
      [0x1a, ...text("1")],
      [0x3a, graphLength, ...graphFields],
      [0x42, ...message([0x10, 13])],
      [0x72, ...message([0x0a, ...text("k")], [0x12, ...text("v")])],
    ].flat();
    assert.deepEqual([...bytes], expected);
  });
});
