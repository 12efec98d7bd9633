// Shows the steps of set-up. Imports no package.
/**
 * Shows steps that run side by side: a line at the end of each, and what runs now on one line that is redrawn. A log gets a
 * line at each start and end instead, and one every 30 seconds.
 */
function createProgress(stream) {
  const steps = new Map();
  const seconds = (sinceMs) =>
    `${((Date.now() - sinceMs) / 1000).toFixed(Date.now() - sinceMs < 10_000 ? 1 : 0)} s`;
  const describe = ([name, { startMs, text }]) => `${name} ${seconds(startMs)}${text ? ` (${text})` : ""}`;
  const clear = stream.isTTY ? "\r\x1b[K" : "";
  const draw = () => {
    const line = `set-up  ${[...steps].map(describe).join(" · ")}`;
    const columns = stream.columns || 80; // 0 or undefined if the terminal does not say
    const shown = line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
    if (steps.size > 0) stream.write(stream.isTTY ? `${clear}${shown}` : `${line}\n`);
  };
  const timer = setInterval(draw, stream.isTTY ? 200 : 30_000);
  timer.unref();
  const report = ({ name = "", state, text = "" }) => {
    const step = steps.get(name);
    if (state === "note") stream.write(`${clear}${text}\n`);
    else if (state === "start") {
      steps.set(name, { startMs: Date.now(), text });
      if (!stream.isTTY) stream.write(`set-up  ${name} …\n`);
    } else if (state === "detail" && step) step.text = text;
    else if (step) {
      steps.delete(name);
      const outcome = state === "done" ? "done in" : "failed after";
      stream.write(
        `${clear}set-up  ${name}: ${outcome} ${seconds(step.startMs)}${text ? ` (${text})` : ""}\n`,
      );
    }
    if (stream.isTTY) draw();
  };
  return {
    report,
    async step(name, work) {
      report({ name, state: "start" });
      try {
        const text = await work((detail) => report({ name, state: "detail", text: detail }));
        report({ name, state: "done", text });
      } catch (error) {
        report({ name, state: "failed" });
        throw error;
      }
    },
    end() {
      clearInterval(timer);
      stream.write(clear);
    },
  };
}

module.exports = { createProgress };
