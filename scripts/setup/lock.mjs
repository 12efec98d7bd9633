// One set-up at a time in one clone: two would install into the same node_modules.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { onInterrupt } from "./command.mjs";
import { ensureStateDir } from "./project.mjs";
import { isRunning } from "./work-folder.mjs";

const POLL_MS = 300;

/** Runs `work` while holding the clone's lock; waits for another set-up, takes over from one that is gone. */
export async function withLock(context, note, work) {
  const file = path.join(ensureStateDir(context), "setup.lock");
  for (let isFirst = true; !tryLock(file); isFirst = false) {
    const holder = readHolder(file);
    if (holder && holder.host === os.hostname() && !isRunning(holder.pid)) {
      fs.rmSync(file, { force: true });
      continue;
    }
    if (isFirst)
      note(
        `Waiting for another set-up of this clone (process ${holder?.pid}); if there is none, remove ${file}`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const release = () => fs.rmSync(file, { force: true });
  const forget = onInterrupt(release);
  try {
    return await work();
  } finally {
    forget();
    release();
  }
}

function tryLock(file) {
  try {
    fs.writeFileSync(file, `${process.pid} ${os.hostname()}`, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function readHolder(file) {
  if (!fs.existsSync(file)) return undefined;
  const [pid, host] = fs.readFileSync(file, "utf8").split(" ");
  return { pid: Number(pid), host };
}
