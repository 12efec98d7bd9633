import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { TICKS_PER_SECOND } from "./disturbance.js";
import type { Engine } from "./suite.js";

/** A program and its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** A line of an answer. Any number of events come before the result or the error. */
type Answer = { event: unknown } | { result: unknown } | { error: string };

interface Pending {
  onEvent: (event: never) => void;
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** Characters of standard error that are kept for the message of a failure. */
const KEPT_ERRORS = 4000;

/**
 * A process that answers one command at a time: JSON lines in on its standard input, JSON lines out on its standard
 * output. It is idle between commands, so that another can be measured.
 */
export class Worker {
  private pending: Pending | null = null;
  private errors = "";
  private end: string | null = null;

  private constructor(
    readonly engine: Engine,
    private readonly child: ChildProcess,
  ) {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.errors = (this.errors + text).slice(-KEPT_ERRORS);
    });
    if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => this.take(line));
    child.stdin?.on("error", () => {}); // its end is reported by `close`
    child.on("error", (error) => this.finish(error.message));
    child.on("close", (code, signal) => this.finish(signal ? `ended by ${signal}` : `exit status ${code}`));
  }

  static start(engine: Engine, [file, ...args]: Command): Worker {
    return new Worker(engine, spawn(file, args, { stdio: "pipe" }));
  }

  /**
   * Runs a command to its end.
   *
   * @throws Error with the worker's name and message, if the command fails or the process ends.
   */
  request<Result, Event = never>(
    command: string,
    args: object = {},
    onEvent: (event: Event) => void = () => {},
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      if (this.pending) throw new Error(`The ${this.engine} worker is still busy with another command`);
      if (this.end) throw this.failure(this.end);
      this.pending = { onEvent, resolve, reject };
      this.child.stdin?.write(`${JSON.stringify({ command, arguments: args })}\n`);
    });
  }

  /** Returns the processor seconds that all threads of the process have used so far. */
  cpuSeconds(): number {
    // After the program's name in parentheses, which may contain anything: state is field 3, the times are 14 and 15.
    const fields = this.read("stat")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Returns the peak of resident memory, in bytes. */
  peakResidentBytes(): number {
    return 1024 * Number(this.read("status").match(/^VmHWM:\s+(\d+) kB$/m)?.[1]);
  }

  /** Lets the process end, and waits for it. */
  async close(): Promise<void> {
    if (this.end) return;
    const closed = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stdin?.end();
    await closed;
  }

  /** Ends the process at once. */
  kill(): void {
    this.child.kill("SIGKILL");
  }

  private take(line: string): void {
    const answer = parse(line);
    if (!answer)
      this.errors += `${line}\n`; // a library's own message
    else if ("event" in answer) {
      this.pending?.onEvent(answer.event as never);
    } else {
      const { pending } = this;
      this.pending = null;
      if ("error" in answer) pending?.reject(new Error(`The ${this.engine} worker failed: ${answer.error}`));
      else pending?.resolve(answer.result as never);
    }
  }

  private finish(end: string): void {
    this.end ??= end;
    this.pending?.reject(this.failure(end));
    this.pending = null;
  }

  private failure(end: string): Error {
    return new Error(`The ${this.engine} worker has ended (${end}):\n${this.errors.trim()}`);
  }

  private read(file: string): string {
    return readFileSync(`/proc/${this.child.pid}/${file}`, "latin1");
  }
}

function parse(line: string): Answer | null {
  try {
    return JSON.parse(line) as Answer;
  } catch {
    return null;
  }
}
