// Writes safetensors: the length of a header, the header as JSON, the numbers. Format:
// https://huggingface.co/docs/safetensors

/** float32 numbers, row after row. */
export interface TensorValue {
  shape: number[];
  data: Float32Array;
}

/** A safetensors file of some tensors by name. */
export function encodeSafetensors(tensors: ReadonlyMap<string, TensorValue>): Buffer {
  let end = 0;
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const start = end;
    end += data.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const numbers = [...tensors.values()].map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  );
  return Buffer.concat([length, header, ...numbers]);
}
