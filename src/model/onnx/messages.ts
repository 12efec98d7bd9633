// The messages of an ONNX file that ferkit writes, by their field numbers in
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3.
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Element types of tensors, by their numbers in `TensorProto.DataType`. */
export const ELEMENT_TYPES = { float32: 1, uint8: 2, float16: 10 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A constant of the graph. */
export interface Initializer {
  name: string;
  type: ElementType;
  shape: readonly number[];
  /** The numbers in row-major order, little-endian. */
  bytes: Uint8Array;
}

/** An operation of the graph. */
export interface GraphNode {
  name: string;
  operator: string;
  inputs: readonly string[];
  output: string;
  /** Integers and lists of integers by name; the operators that ferkit writes need no others. */
  attributes: Readonly<Record<string, number | readonly number[]>>;
}

/** An input or an output of the graph. A dimension is a number, or the name of one that may vary. */
export interface GraphValue {
  name: string;
  type: ElementType;
  shape: readonly (number | string)[];
}

export interface Graph {
  name: string;
  inputs: GraphValue[];
  nodes: GraphNode[];
  initializers: Initializer[];
  outputs: GraphValue[];
}

export interface OnnxModel {
  /** Version of the file format. */
  irVersion: number;
  /** Version of the operators. */
  opset: number;
  producer: { name: string; version: string };
  graph: Graph;
  /** What a program that runs the model can read beside it. */
  metadata: Readonly<Record<string, string>>;
}

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { integer: 2, integers: 7 };

/** Returns the bytes of an ONNX file. */
export function encodeModel({ irVersion, opset, producer, graph, metadata }: OnnxModel): Uint8Array {
  const message = new Message();
  message.integer(1, irVersion);
  message.text(2, producer.name);
  message.text(3, producer.version);
  message.nested(7, (part) => writeGraph(part, graph));
  message.nested(8, (part) => part.integer(2, opset)); // of the default operators
  for (const [key, value] of Object.entries(metadata))
    message.nested(14, (part) => {
      part.text(1, key);
      part.text(2, value);
    });
  return message.finish();
}

function writeGraph(message: Message, { name, inputs, nodes, initializers, outputs }: Graph): void {
  for (const node of nodes) message.nested(1, (part) => writeNode(part, node));
  message.text(2, name);
  for (const tensor of initializers) message.nested(5, (part) => writeInitializer(part, tensor));
  for (const value of inputs) message.nested(11, (part) => writeValue(part, value));
  for (const value of outputs) message.nested(12, (part) => writeValue(part, value));
}

function writeNode(message: Message, { name, operator, inputs, output, attributes }: GraphNode): void {
  for (const input of inputs) message.text(1, input);
  message.text(2, output);
  message.text(3, name);
  message.text(4, operator);
  for (const [key, value] of Object.entries(attributes))
    message.nested(5, (part) => {
      part.text(1, key);
      if (typeof value === "number") part.integer(3, value);
      else part.integers(8, value);
      part.integer(20, typeof value === "number" ? ATTRIBUTE_TYPES.integer : ATTRIBUTE_TYPES.integers);
    });
}

function writeInitializer(message: Message, { name, type, shape, bytes }: Initializer): void {
  message.integers(1, shape);
  message.integer(2, ELEMENT_TYPES[type]);
  message.text(8, name);
  message.bytes(9, bytes);
}

function writeValue(message: Message, { name, type, shape }: GraphValue): void {
  message.text(1, name);
  const writeShape = (part: Message) => {
    for (const size of shape)
      part.nested(1, (dimension) => {
        if (typeof size === "number") dimension.integer(1, size);
        else dimension.text(2, size);
      });
  };
  message.nested(2, (kind) =>
    kind.nested(1, (tensor) => {
      tensor.integer(1, ELEMENT_TYPES[type]);
      tensor.nested(2, writeShape);
    }),
  );
}

/** A protobuf message, written field by field. */
class Message {
  constructor(private readonly writer = new BinaryWriter()) {}

  integer(field: number, value: number): void {
    this.writer.tag(field, WireType.Varint).int64(value);
  }

  integers(field: number, values: readonly number[]): void {
    this.nested(field, () => {
      for (const value of values) this.writer.int64(value);
    });
  }

  text(field: number, value: string): void {
    this.writer.tag(field, WireType.LengthDelimited).string(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.writer.tag(field, WireType.LengthDelimited).bytes(value);
  }

  nested(field: number, write: (part: Message) => void): void {
    this.writer.tag(field, WireType.LengthDelimited).fork();
    write(this);
    this.writer.join();
  }

  finish(): Uint8Array {
    return this.writer.finish();
  }
}
