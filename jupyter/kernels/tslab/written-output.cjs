// What cells write to standard output and error, through the streams or the file descriptors 1 and 2, is sent to the cell that wrote it.
const fs = require("node:fs");
const { currentCell, owner } = require("./cells.cjs");

/** Streams by descriptor, and descriptors by file. */
const NAMES = new Map([
  [1, "stdout"],
  [2, "stderr"],
]);
const FILES = new Map([
  ["/dev/stdout", 1],
  ["/dev/stderr", 2],
]);

function captureOutput() {
  for (const name of NAMES.values()) {
    const write = process[name].write.bind(process[name]);
    process[name].write = (data, encoding, callback) => {
      const done = typeof encoding === "function" ? encoding : callback;
      if (!currentCell()) return write(data, encoding, callback);
      owner().print(name, isEncoded(data, encoding) ? Buffer.from(data, encoding) : data);
      if (done) process.nextTick(done);
      return true;
    };
  }
  captureDescriptors();
}

/** Whether data are bytes as text, such as base64. */
const isEncoded = (data, encoding) =>
  typeof data === "string" && Buffer.isEncoding(encoding) && !/^utf-?8$/i.test(encoding);

/** Captures the functions of `fs` that the others call. */
function captureDescriptors() {
  const { write, writev, writeFile, writeFileSync, writeSync, writevSync } = fs;
  const isCaptured = (target, data) =>
    NAMES.has(target) &&
    currentCell() !== null &&
    (typeof data === "string" || [data].flat().every(ArrayBuffer.isView));
  const print = (descriptor, bytes) => {
    process[NAMES.get(descriptor)].write(bytes);
    return bytes.length;
  };
  const replace = (own, captured) => {
    fs[own.name] = Object.defineProperties(captured, Object.getOwnPropertyDescriptors(own));
  };

  for (const own of [writeSync, writevSync])
    replace(own, (target, data, ...rest) =>
      isCaptured(target, data) ? print(target, bytesOf(data, rest)) : own(target, data, ...rest),
    );
  for (const own of [write, writev])
    replace(own, (target, data, ...rest) => {
      if (!isCaptured(target, data)) return own(target, data, ...rest);
      const [callback, ...options] = rest.toReversed();
      return process.nextTick(callback, null, print(target, bytesOf(data, options.toReversed())), data);
    });
  // They end in `write` or `writeSync`, if they get bytes.
  for (const own of [writeFile, writeFileSync])
    replace(own, (target, data, ...rest) => {
      const descriptor = FILES.get(target) ?? target;
      const options = rest.find((one) => typeof one !== "function");
      const isText = typeof data === "string" && isCaptured(descriptor, data);
      return own(descriptor, isText ? Buffer.from(data, options?.encoding ?? options) : data, ...rest);
    });
}

/** Returns the bytes that a call writes: of text with an encoding, of a list, or of a part of a view. */
function bytesOf(data, options) {
  if (typeof data === "string")
    return Buffer.from(
      data,
      options.find((one) => typeof one === "string"),
    );
  if (Array.isArray(data)) return Buffer.concat(data.map((view) => bytesOf(view, [])));
  const [first, second] = options;
  const { offset, length } = Object(first) === first ? first : { offset: first, length: second };
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength).subarray(offset ?? 0);
  return bytes.subarray(0, length ?? bytes.length);
}

module.exports = { captureOutput };
