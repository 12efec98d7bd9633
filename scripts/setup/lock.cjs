// One set-up of a clone at a time. Imports no package.
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const process = require("node:process");

/** Takes the clone's lock, since two set-ups would install into the same folders; returns what releases it. */
async function takeLock({ stateDir }, stream) {
  const file = path.join(stateDir, "setup.lock");
  fs.mkdirSync(stateDir, { recursive: true });
  for (let isFirst = true; !tryLock(file); isFirst = false) {
    const [pid, host] = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split(" ") : [];
    if (host === os.hostname() && !isRunning(Number(pid))) fs.rmSync(file, { force: true });
    else {
      const advice = `if there is none, remove ${file}`;
      if (isFirst) stream.write(`Waiting for another set-up of this clone (process ${pid}); ${advice}\n`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  const release = () => fs.rmSync(file, { force: true });
  process.once("exit", release);
  return () => {
    process.off("exit", release);
    release();
  };
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

/** Returns whether a process of this machine is alive. */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

module.exports = { isRunning, takeLock };
