// What a cell prints and shows: sent to Jupyter in order, in few messages, and only up to a limit.
const { StringDecoder } = require("node:string_decoder");
const { setImmediate } = require("node:timers"); // not those that cells get

/** Characters that a cell may print, and those of the outputs that it may show. Front ends slow down before. */
const [MAX_PRINTED, MAX_SHOWN] = [5_000_000, 100_000_000];
/** What an output weighs besides its content, in characters. */
const OUTPUT_WEIGHT = 1000;
/** Prints are sent together, up to this many characters and milliseconds; otherwise a loop would fill the memory. */
const [PRINT_LENGTH, PRINT_MS] = [65_536, 50];

class CellOutput {
  #send;
  /** What was printed and not sent yet, and where. */
  #text = "";
  #stream = "stdout";
  /** By stream: keeps the bytes of a character that are not all there yet. */
  #decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };
  #isTurnAwaited = false;
  #lastSent = 0;
  #numPrinted = 0;
  #numShown = 0;

  /** @param send - Sends a message of Jupyter's protocol: `(type, content)`. */
  constructor(send) {
    this.#send = send;
  }

  /** Sends a message, after all that was printed before it. */
  publish(type, content) {
    this.flush();
    this.#send(type, content);
  }

  /**
   * @param stream - `stdout` or `stderr`.
   * @param data - Text, or its bytes in UTF-8.
   */
  print(stream, data) {
    const text = typeof data === "string" ? data : this.#decoders[stream].write(data);
    const numLeft = MAX_PRINTED - this.#numPrinted;
    if (numLeft < 0) return;
    this.#numPrinted += text.length;
    this.#append(stream, text.slice(0, numLeft));
    if (text.length > numLeft) this.#append("stderr", tooMuch("printed", MAX_PRINTED));
  }

  /** @param isUpdate - Whether it takes the place of an earlier output. */
  display(output, isUpdate) {
    if (isUpdate) {
      this.publish("update_display_data", output);
      return;
    }
    if (this.#numShown > MAX_SHOWN) return;
    this.#numShown += OUTPUT_WEIGHT;
    for (const form of Object.values(output.data))
      this.#numShown += typeof form === "string" ? form.length : JSON.stringify(form).length;
    if (this.#numShown > MAX_SHOWN) this.#append("stderr", tooMuch("showed", MAX_SHOWN));
    else this.publish("display_data", output);
  }

  #append(stream, text) {
    if (stream !== this.#stream) this.flush();
    this.#stream = stream;
    this.#text += text;
    const isDue = this.#text.length >= PRINT_LENGTH || performance.now() - this.#lastSent >= PRINT_MS;
    if (isDue) this.flush();
    else this.#flushNextTurn();
  }

  #flushNextTurn() {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => {
      this.#isTurnAwaited = false;
      this.flush();
    });
  }

  /** Sends what was printed. */
  flush() {
    this.#lastSent = performance.now();
    if (this.#text === "") return;
    const text = this.#text.toWellFormed(); // half a character cannot be saved
    this.#text = "";
    this.#send("stream", { name: this.#stream, text });
  }
}

const tooMuch = (verb, limit) =>
  `\nThis cell ${verb} over ${limit / 1e6} million characters; the rest is left out.\n`;

module.exports = { CellOutput };
