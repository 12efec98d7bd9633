// One line a step with its elapsed time: ticking on a terminal; elsewhere (CI logs) printed at start, at end and every 30 s.
const TICK_MS = 200;
const HEARTBEAT_MS = 30_000;

/**
 * Progress of a list of steps.
 *
 * @param stream - Where to write; a terminal when `stream.isTTY`.
 */
export function createProgress(stream, numSteps) {
  const width = String(numSteps).length;
  let number = 0;

  return {
    /** Shows a line while `work` runs; `work` gets a function that shows what it is at. */
    async step(name, work) {
      number += 1;
      const label = `set-up ${String(number).padStart(width)}/${numSteps}  ${name}`;
      const startMs = Date.now();
      let detail = "";
      const show = () => {
        const line = `${label}: ${seconds(startMs)} ${detail}`.trimEnd();
        stream.write(stream.isTTY ? `\r${truncate(line, stream.columns)}\x1b[K` : `${line}\n`);
      };
      if (stream.isTTY) show();
      else stream.write(`${label} …\n`);
      const timer = setInterval(show, stream.isTTY ? TICK_MS : HEARTBEAT_MS);
      const start = stream.isTTY ? "\r" : "";
      const end = stream.isTTY ? "\x1b[K\n" : "\n";
      try {
        const result = await work((text) => {
          detail = text;
        });
        stream.write(`${start}${label}: done in ${seconds(startMs)}${result ? ` (${result})` : ""}${end}`);
      } catch (error) {
        stream.write(`${start}${label}: failed after ${seconds(startMs)}${end}`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
    /** Counts a step that has nothing to do. */
    skip() {
      number += 1;
    },
    /** Prints a line between steps. */
    note(text) {
      stream.write(`${text}\n`);
    },
  };
}

function seconds(startMs) {
  const elapsed = (Date.now() - startMs) / 1000;
  return `${elapsed.toFixed(elapsed < 10 ? 1 : 0)} s`;
}

function truncate(text, terminalColumns) {
  const columns = terminalColumns || 80; // 0 or undefined where the terminal does not say
  return text.length < columns ? text : `${text.slice(0, columns - 2)}…`;
}
