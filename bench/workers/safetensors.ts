// Reads and writes float32 tensors in the format that https://huggingface.co/docs/safetensors describes.
import { readFile } from "node:fs/promises";

/** float32 numbers, row by row. */
export interface TensorValue {
  shape: number[];
  data: Float32Array;
}

/** Reads the images, as `[batchSize, 3, imageSize, imageSize]`, and the logits that `recordLogits` wrote. */
export async function readLogits(file: string): Promise<{ images: TensorValue; logits: TensorValue }> {
  const { images, logits } = decodeSafetensors(await readFile(file));
  const [batchSize, height, width, channels] = images.shape;
  const planes = new Float32Array(images.data.length);
  for (let i = 0; i < batchSize; i++)
    for (let pixel = 0; pixel < height * width; pixel++)
      for (let c = 0; c < channels; c++)
        planes[(i * channels + c) * height * width + pixel] =
          images.data[(i * height * width + pixel) * channels + c];
  return { images: { shape: [batchSize, channels, height, width], data: planes }, logits };
}

/** Decodes float32 tensors. */
export function decodeSafetensors(bytes: Buffer): Record<string, TensorValue> {
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header: Record<string, { shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString("utf8", 8, start),
  );
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const copy = Uint8Array.from(bytes.subarray(start + from, start + to)); // aligned to whole numbers
        return [name, { shape, data: new Float32Array(copy.buffer) }];
      },
    ),
  );
}

/** Encodes tensors by name. */
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
