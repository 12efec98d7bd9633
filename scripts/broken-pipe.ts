/** 128 and the number of SIGPIPE: what a shell reports of a program that such a signal ended. */
const EXIT_STATUS = 141;

/** Ends the program without a word when who reads its output has gone, as in `ferkit runs --json | head -1`. */
export function endOnBrokenPipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(EXIT_STATUS);
  });
}
