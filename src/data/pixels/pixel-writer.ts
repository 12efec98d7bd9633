import { readBytes, writeBytes } from "../../files.js";
import { repeatChannel } from "./grey.js";

/** Pixels are written when there are so many bytes of them. */
const BLOCK_BYTES = 2 ** 22;

/** Appends the pixels of images to a file as they come, with one channel as long as all are grey. */
export class PixelWriter {
  numImages = 0;
  numChannels: 1 | 3 = 1;
  private readonly block: Uint8Array;
  private blockLength = 0;
  /** Bytes that are in the file. */
  private written = 0;

  /** @param descriptor - Of an empty file, open to read and write; stays the caller's. */
  constructor(
    private readonly descriptor: number,
    imageSize: number,
  ) {
    this.block = new Uint8Array(Math.max(BLOCK_BYTES, imageSize ** 2 * 3));
  }

  /** @param pixels - uint8 `[imageSize, imageSize, numChannels]`. */
  async append(pixels: Uint8Array, numChannels: 1 | 3): Promise<void> {
    if (numChannels > this.numChannels) await this.widen();
    const image = numChannels < this.numChannels ? repeatChannel(pixels) : pixels;
    if (this.blockLength + image.length > this.block.length) await this.flush();
    this.block.set(image, this.blockLength);
    this.blockLength += image.length;
    this.numImages++;
  }

  /** Writes what is not in the file yet, and returns the length of all. */
  async flush(): Promise<number> {
    await writeBytes(this.descriptor, this.block.subarray(0, this.blockLength), this.written);
    this.written += this.blockLength;
    this.blockLength = 0;
    return this.written;
  }

  /** Repeats the channel of what is in the file, from its end to its start, so that nothing is written over before it is read. */
  private async widen(): Promise<void> {
    const length = await this.flush();
    for (let end = length; end > 0; ) {
      const start = Math.max(0, end - BLOCK_BYTES);
      const grey = new Uint8Array(end - start);
      await readBytes(this.descriptor, grey, start);
      await writeBytes(this.descriptor, repeatChannel(grey), 3 * start);
      end = start;
    }
    this.written = 3 * length;
    this.numChannels = 3;
  }
}
