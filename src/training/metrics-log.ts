// The log of a run: the batches, epochs and ends in its `metrics.jsonl`.
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { checkPath, InputError } from "../errors.js";
import { writeError, writeFileAtomically } from "../files.js";
import { linesOf } from "../lines.js";
import { savedCheck } from "../saved-files.js";
import type { Progress } from "./checkpoint.js";
import type { TrainEvent } from "./events.js";
import { ANOTHER_RUN, loadRunConfig, type RunConfig } from "./run-config.js";

/** Appends events to `metrics.jsonl`, one a line. */
export class MetricsLog {
  private readonly file: string;
  private lines: string[] = [];

  constructor(private readonly runDir: string) {
    this.file = path.join(runDir, "metrics.jsonl");
  }

  /** Adds an event, to be written by `flush`, and returns it. */
  add<Event extends TrainEvent>(event: Event): Event {
    this.lines.push(`${JSON.stringify(event)}\n`);
    return event;
  }

  /** Writes the added events. */
  async flush(): Promise<void> {
    const text = this.lines.join("");
    if (text === "") return;
    this.lines = [];
    await appendFile(this.file, text).catch((error) => {
      throw writeError(this.file, error);
    });
  }

  /**
   * Drops the events after the last step, since the run trains from there again, and marks the best epoch.
   *
   * @param keepsNotes - Whether notes are kept, of which a run that trains on gives others.
   */
  async rewind({ id }: RunConfig, progress: Progress, keepsNotes: boolean): Promise<void> {
    const { events } = await readEvents(this.runDir);
    const best = progress.best?.epoch ?? 0; // 0: there is none
    const kept = events
      .filter((event) =>
        "step" in event ? event.step <= progress.step : keepsNotes && event.type === "note",
      )
      .map((event) =>
        event.type === "epoch" && event.epoch >= best ? { ...event, isBest: event.epoch === best } : event,
      );
    await writeFileAtomically(this.file, logText(id, kept));
  }
}

/** Returns the lines of a log: the run's name, if it has one, and events. */
export function logText(id: string | undefined, events: TrainEvent[]): string {
  const lines: object[] = id === undefined ? events : [{ type: "run", id }, ...events];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/**
 * Reads the batches, epochs and end that a run has logged, in order. Lines that are none of these are passed over.
 *
 * @param runDir - The run's folder.
 * @returns Empty if nothing has been logged.
 * @throws InputError when the log is another run's.
 * @example
 * ```ts
 * import { epochMetricsChart, loadMetrics, ofType, saveChart } from "ferkit";
 *
 * const epochs = ofType(await loadMetrics("runs/pets"), "epoch");
 * await saveChart(epochMetricsChart(epochs), "epochs.png");
 * ```
 */
export async function loadMetrics(runDir: string): Promise<TrainEvent[]> {
  checkPath("runDir", runDir);
  const config = await loadRunConfig(runDir).catch(() => undefined); // which says nothing of a log without one
  const log = await readEvents(runDir);
  checkOwnLog(runDir, config, log);
  return log.events;
}

/** @throws InputError when a log is another run's. */
export function checkOwnLog(runDir: string, config: RunConfig | undefined, log: Log): void {
  if (isOwnLog(config, log)) return;
  throw new InputError({
    expected: "the events of the run in config.json",
    where: path.join(runDir, "metrics.jsonl"),
    found: "those of another run",
    fix: "Choose another run, or put the file back that was there.",
  });
}

/** Returns whether a log can be of a run; every log can be that of a run before version 0.3. */
export function isOwnLog(config: RunConfig | undefined, { events, id }: Log): boolean {
  return config?.id === undefined || events.length === 0 || id === config.id;
}

/** Characters of an epoch's line with thousands of classes. */
const MAX_LINE_LENGTH = 2 ** 28;

/** What a run has logged. */
export interface Log {
  events: TrainEvent[];
  /** Id of the run, as in its configuration; absent before version 0.3. */
  id?: string;
  /** What is wrong with the first line that is no event, but for a last line that a kill cut short; null if nothing is. */
  problem: string | null;
}

/** Reads the `metrics.jsonl` of a run's folder. */
export async function readEvents(runDir: string): Promise<Log> {
  const file = path.join(runDir, "metrics.jsonl");
  let id: string | undefined;
  const check = await savedCheck("event");
  const events: TrainEvent[] = [];
  let [number, problem, cut] = [0, null as string | null, null as string | null];
  const expected = { expected: "the events of a run", fix: ANOTHER_RUN };
  for await (const line of linesOf(file, expected, MAX_LINE_LENGTH)) {
    number++;
    problem ??= cut; // it was not the last line
    if (line.trim() === "") continue;
    const event = parse(line);
    const found = event === undefined ? "no JSON" : check(event);
    if (found === null && (event as { type: string }).type === "run") id = (event as { id: string }).id;
    else if (found === null) events.push(withTodaysReason(event as TrainEvent));
    else if (event === undefined) cut = `line ${number}: ${found}`;
    else problem ??= `line ${number}: ${found}`;
  }
  return { events, ...(id !== undefined && { id }), problem };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Version 0.1 wrote `earlyStopping`. */
function withTodaysReason(event: TrainEvent): TrainEvent {
  return event.type === "done" && (event.reason as string) === "earlyStopping"
    ? { ...event, reason: "stopped early" }
    : event;
}
