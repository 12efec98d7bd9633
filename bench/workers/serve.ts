// The loop of every Node worker: answers JSON lines with JSON lines, and times what it prepared.
import { createInterface } from "node:readline";
import type { Workload } from "../suite.js";

/** A workload, ready to be timed. */
export interface Session {
  /** Does one step, to its end. */
  step(): Promise<void>;
  /** Releases what the session holds in the engine. */
  dispose(): void;
}

export type Prepare<Options> = (workload: Workload & Options) => Promise<Session>;

/** Functions by command: each takes the command's arguments and returns the answer. */
export type Commands = Record<string, (args: never) => Promise<unknown>>;

interface TimeOptions {
  session: number;
  /** Minimum duration; at least `minSteps` steps are done. */
  seconds: number;
  minSteps: number;
}

/** Answers commands until standard input ends. */
export function serve<Options>(prepare: Prepare<Options>, ownCommands: Commands): void {
  console.log = console.error; // only answers go to standard output
  const commands: Commands = { ...sessions(prepare), ...ownCommands };
  const answer = (message: object) => process.stdout.write(`${JSON.stringify(message)}\n`);
  createInterface({ input: process.stdin }).on("line", (line) => {
    const request = JSON.parse(line) as { command: string; arguments: never };
    Promise.resolve(request)
      .then((asked) => commands[asked.command](asked.arguments))
      .then((result) => answer({ result: result ?? null }))
      .catch((error: Error) => answer({ error: error.stack ?? error.message }));
  });
}

/** Returns the commands that prepare, time and release sessions, which have numbers. */
function sessions<Options>(prepare: Prepare<Options>): Commands {
  const prepared = new Map<number, Session>();
  let numSessions = 0;
  return {
    prepare: async (workload: Workload & Options) => {
      const session = await prepare(workload);
      numSessions++;
      prepared.set(numSessions, session);
      return numSessions;
    },
    time: async ({ session, seconds, minSteps }: TimeOptions) => {
      const { step } = prepared.get(session) as Session;
      const start = performance.now();
      for (let numSteps = 1; ; numSteps++) {
        await step();
        const passed = (performance.now() - start) / 1000;
        if (passed >= seconds && numSteps >= minSteps) return { steps: numSteps, seconds: passed };
      }
    },
    release: async ({ session }: { session: number }) => {
      prepared.get(session)?.dispose();
      prepared.delete(session);
    },
  };
}
