/** Ends a program that failed: with the message alone of what the user can mend, with its stack of a fault of ours. */
export function reportFailure(error: Error): void {
  const isInput = error.name === "InputError" || error.name === "ParameterError";
  console.error(isInput ? `ferkit: ${error.message}` : error);
  process.exitCode = 1;
}
