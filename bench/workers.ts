import path from "node:path";
import type { Engine } from "./contenders.js";
import { preparePython } from "./python-env.js";
import { type Command, Worker } from "./worker.js";

const SCRIPTS: Record<Engine, string> = {
  ferkit: "workers/ferkit.ts",
  stockLayers: "workers/stock-layers.ts",
  pytorch: "python/torch_worker.py",
  keras: "python/keras_worker.py",
};

/** Workers that stay for the whole bench, each started when it is first asked for. */
export class Workers {
  private readonly started = new Map<Engine, Worker>();

  async of(engine: Engine): Promise<Worker> {
    const worker = this.started.get(engine) ?? (await startWorker(engine));
    this.started.set(engine, worker);
    return worker;
  }

  all(): Worker[] {
    return [...this.started.values()];
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map((worker) => worker.close()));
    this.started.clear();
  }

  kill(): void {
    for (const worker of this.all()) worker.kill();
  }
}

/** A worker of one's own; the caller closes it. */
export async function startWorker(engine: Engine): Promise<Worker> {
  return Worker.start(engine, await commandOf(engine));
}

async function commandOf(engine: Engine): Promise<Command> {
  const script = path.join(__dirname, SCRIPTS[engine]);
  if (script.endsWith(".py")) return [await preparePython(), script];
  return [process.execPath, "--require", "tsx/cjs", script];
}
