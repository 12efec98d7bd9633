// Reads and writes parts of an open file, and says while its disk does not answer.
import { read, write } from "node:fs";
import { noteSilence } from "../../files.js";

/** Most bytes that one call reads or writes; the system's limit is a little below 2³¹. */
const CALL_BYTES = 2 ** 30;

/**
 * Fills `bytes` from a position of a file.
 *
 * @throws Error when the file ends too early.
 */
export function readBytes(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return transfer(read, descriptor, bytes, position);
}

/** Writes `bytes` at a position of a file. */
export function writeBytes(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return transfer(write, descriptor, bytes, position);
}

type Call = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  callback: (error: Error | null, count: number) => void,
) => void;

/** Uses callbacks, which cost half of what promises do for a few thousand bytes. */
function transfer(call: Call, descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const continueAt = (done: number): void => {
      if (done === bytes.length) {
        resolve();
        return;
      }
      const length = Math.min(bytes.length - done, CALL_BYTES);
      const end = noteSilence(descriptor);
      const onAnswer = (error: Error | null, count: number) => {
        end();
        if (error) reject(error);
        else if (count === 0) reject(new Error("the file was cut short"));
        else continueAt(done + count);
      };
      try {
        call(descriptor, bytes, done, length, position + done, onAnswer);
      } catch (error) {
        end(); // a position that no file has
        reject(error);
      }
    };
    continueAt(0);
  });
}
