// Ends processes within each change to a file, fills and breaks their disk, and starts two at once: `npm run test:faults`.
// After each fault, what was written before must be readable, and the same command must come to the same bits.
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { internals, interruptSignal, Random } from "../../src/index.js";
import { projectDir } from "../workspace.js";
import type { Job, Message } from "./child.js";
import { SCENARIOS, type Scenario } from "./scenarios.js";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "14" },
    only: { type: "string", default: Object.keys(SCENARIOS).join(",") },
    kinds: { type: "string" },
    seed: { type: "string", default: "0" },
  },
});

/** What goes wrong at a change (faulty-files.c), or two processes that do the same. */
type Kind = "kill" | "torn" | "full" | "lost" | "broken" | "unread" | "plain" | "two at once";

interface Trial {
  name: string;
  kind: Kind;
  /** Number of the change, or of the read, from 1. */
  at: number;
}

interface Ended {
  isKilled: boolean;
  /** Null if it came to its end. */
  error: string | null;
  /** Whether the error is one for users. */
  isClear: boolean;
  acknowledged: string[];
}

/** Aborts at Ctrl-C or SIGTERM: the table then has the faults so far. */
const { signal: stopped, release } = interruptSignal();

const root = mkdtempSync(path.join(os.tmpdir(), "ferkit-faults-"));
const layer = path.join(root, "faulty-files.so");

/** Processes that are ready for a job. */
const idle: Promise<ChildProcess>[] = [];

function startChild(): Promise<ChildProcess> {
  const env = { ...process.env, LD_PRELOAD: layer, UV_USE_IO_URING: "0" };
  const execArgv = ["--require", "tsx/cjs"];
  // In a process group of its own, which Ctrl-C does not reach.
  const options = { cwd: projectDir, execArgv, env, silent: true, detached: true };
  const child = fork(path.join(__dirname, "child.ts"), options);
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error("a process that runs scenarios ended before it was ready"));
    child.once("exit", onExit);
    child.once("message", () => {
      child.off("exit", onExit);
      resolve(child);
    });
    child.once("error", reject);
  });
}

/** Runs a scenario in a process whose changes to files below `dir` may fail. */
async function runJob(name: string, dir: string, faults: NodeJS.ProcessEnv): Promise<Ended> {
  const child = await (idle.pop() ?? startChild());
  if (idle.length === 0) idle.push(startChild()); // ready when this one is killed
  const ended: Ended = { isKilled: false, error: null, isClear: true, acknowledged: [] };
  return new Promise((resolve) => {
    const onExit = () => resolve({ ...ended, isKilled: true });
    const onMessage = (message: Message) => {
      if ("acknowledged" in message) {
        ended.acknowledged.push(message.acknowledged);
        return;
      }
      child.off("exit", onExit);
      child.off("message", onMessage);
      idle.push(Promise.resolve(child));
      resolve({ ...ended, ...message });
    };
    child.once("exit", onExit);
    child.on("message", onMessage);
    child.send({ name, dir, faults } satisfies Job);
  });
}

async function newFolder(scenario: Scenario): Promise<string> {
  const dir = mkdtempSync(path.join(root, "dir-"));
  mkdirSync(dir, { recursive: true });
  await scenario.prepare(dir);
  return dir;
}

/** Returns changes and reads from a log, which has a line for each of them. */
function logged(log: string): { changes: string[]; reads: string[] } {
  const lines = log.split("\n").slice(0, -1);
  const isRead = (line: string) => line.startsWith("read ");
  return { changes: lines.filter((line) => !isRead(line)), reads: lines.filter(isRead) };
}

/** Finds where to fail: of the reads or writes of a file in a row, the first, the middle and the last; all other changes. */
function choosePlaces(lines: string[]): { line: string; index: number }[] {
  const calls = lines.map((line) => line.replace(/ \d+ /, " "));
  const isRow = (index: number, other: number) =>
    /^(read|write)/.test(calls[index]) && calls[index] === calls[other];
  const places: { line: string; index: number }[] = [];
  for (let start = 0, end = 0; start < calls.length; start = end) {
    for (end = start + 1; end < calls.length && isRow(start, end); ) end++;
    for (const index of new Set([start, Math.floor((start + end - 1) / 2), end - 1]))
      places.push({ line: calls[index], index });
  }
  return places;
}

function chooseTrials(name: string, log: string): Trial[] {
  const { changes, reads } = logged(log);
  const trials: Trial[] = [];
  for (const { line, index } of choosePlaces(changes)) {
    const takesRoom = /^(write|create|mkdir)/.test(line);
    // The end of a process before a write leaves what its end after the change before leaves.
    const kinds: Kind[] = [
      takesRoom ? "torn" : "kill",
      ...(takesRoom ? ["full" as const] : []),
      "lost",
      "broken",
    ];
    for (const kind of kinds) trials.push({ name, kind, at: index + 1 });
  }
  for (const { index } of choosePlaces(reads)) trials.push({ name, kind: "unread", at: index + 1 });
  trials.push({ name, kind: "plain", at: 1 });
  for (let at = 1; at <= 2; at++) trials.push({ name, kind: "two at once", at });
  return trials;
}

/** Returns the result of a run that nothing disturbs, and where to disturb it. */
async function undisturbed(name: string): Promise<{ result: string; chosen: Trial[] }> {
  const scenario = SCENARIOS[name];
  const dir = await newFolder(scenario);
  const log = path.join(root, `${name}.log`);
  const { error } = await runJob(name, dir, { FAULT_LOG: log });
  if (error !== null) throw new Error(`${name} fails without a fault: ${error}`);
  const chosen = chooseTrials(name, readFileSync(log, "utf8"));
  const result = await scenario.result(dir);
  rmSync(dir, { recursive: true });
  return { result, chosen };
}

/**
 * Returns what went wrong, and the bytes that were lost; null if there were fewer changes than before, since a download comes in more or
 * fewer parts.
 */
async function attempt(
  { name, kind, at }: Trial,
  expected: string,
): Promise<{ faults: string[]; lost: number } | null> {
  const scenario = SCENARIOS[name];
  const dir = await newFolder(scenario);
  const faults: string[] = [];
  let lost = 0;
  if (kind === "two at once") {
    const slow = { FAULT_KIND: "slow" };
    const both = await Promise.all([runJob(name, dir, slow), runJob(name, dir, slow)]);
    const refused = both.filter(({ error }) => error !== null);
    const isRight = scenario.refusal
      ? refused.length === 1 && scenario.refusal.test(`${refused[0].error}`)
      : refused.length === 0;
    if (!isRight) faults.push(JSON.stringify(both));
    lost = await scenario.lostBytes(
      dir,
      both.flatMap(({ acknowledged }) => acknowledged),
    );
  } else {
    const log = path.join(root, "trial.log");
    writeFileSync(log, "");
    const ended = await runJob(name, dir, { FAULT_KIND: kind, FAULT_AT: String(at), FAULT_LOG: log });
    const { changes, reads } = logged(readFileSync(log, "utf8"));
    if ((kind === "unread" ? reads : changes).length < at && !ended.isKilled && ended.error === null) {
      rmSync(dir, { recursive: true });
      return null;
    }
    if (ended.isKilled !== (kind === "kill" || kind === "torn"))
      faults.push(`ends: ${JSON.stringify(ended)}`);
    if (!ended.isClear || (kind === "plain" && ended.error !== null)) faults.push(`${ended.error}`);
    lost = await scenario.lostBytes(dir, ended.acknowledged);
  }
  await scenario.run(dir, () => {}).catch((error) => faults.push(`does not resume: ${error.stack}`));
  const found = await scenario.result(dir).catch((error: Error) => `no result: ${error.message}`);
  if (found !== expected) faults.push(`other bits after it resumed: ${found}`);
  // What is left in the cache or a model folder, which other processes share, is removed after an hour or a day.
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" });
  const left = files.filter((file) => file.endsWith(".tmp") && !/^(cache|model)\//.test(file));
  if (left.length > 0) faults.push(`left over: ${left.join(", ")}`);
  rmSync(dir, { recursive: true });
  return { faults, lost };
}

/** A server of one file, in two halves. */
async function serve(): Promise<http.Server> {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256));
  const server = http.createServer((_, response) => {
    response.writeHead(200, { "content-length": content.length, etag: '"1"' });
    response.write(content.subarray(0, 150_000), () => response.end(content.subarray(150_000)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env.FAULT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  process.env.FAULT_SHA256 = createHash("sha256").update(content).digest("hex");
  return server;
}

async function main(): Promise<void> {
  const begin = performance.now();
  const end = begin + 60_000 * Number(flags.minutes);
  execFileSync("cc", [
    "-shared",
    "-fPIC",
    "-O1",
    "-o",
    layer,
    path.join(__dirname, "faulty-files.c"),
    "-ldl",
  ]);
  const server = await serve();
  const names = flags.only.split(",");
  const expected = new Map<string, string>();
  const trials: Trial[] = [];
  for (const name of names) {
    const { result, chosen } = await undisturbed(name);
    expected.set(name, result);
    trials.push(...chosen.filter(({ kind }) => flags.kinds?.split(",").includes(kind) ?? true));
    console.log(`${name}: ${chosen.length} faults`);
  }
  // In random order, so that a run that its time ends has tried some of everything.
  const order = [...new Random(Number(flags.seed), "faults").permutation(trials.length)];
  const counts = new Map<string, { of: number; tried: number; survived: number; lost: number }>();
  const countOf = ({ name, kind }: Trial) => {
    const key = `${name}\t${kind}`;
    const count = counts.get(key) ?? { of: 0, tried: 0, survived: 0, lost: 0 };
    counts.set(key, count);
    return count;
  };
  for (const trial of trials) countOf(trial).of++;
  for (const index of order) {
    if (performance.now() > end || stopped.aborted) break;
    const trial = trials[index];
    const outcome = await attempt(trial, expected.get(trial.name) as string);
    if (!outcome) continue;
    const { faults, lost } = outcome;
    const count = countOf(trial);
    count.tried++;
    count.survived += faults.length === 0 && lost === 0 ? 1 : 0;
    count.lost += lost;
    for (const fault of faults)
      console.log(`FAULT ${trial.name}, ${trial.kind} at change ${trial.at}: ${fault}`);
    if (lost > 0) console.log(`LOST ${trial.name}, ${trial.kind} at change ${trial.at}: ${lost} bytes`);
  }
  release();
  server.close();
  for (const child of idle) (await child).kill();
  const heading = ["scenario", "fault", "of", "tried", "survived", "bytes lost"];
  const rows = [...counts].map(([key, { of, tried, survived, lost }]) => [
    ...key.split("\t"),
    ...[of, tried, survived, lost].map(String),
  ]);
  console.log(internals.textTable({ heading, rows, isNumeric: heading.map((_, i) => i > 1) }));
  const seconds = Math.round((performance.now() - begin) / 1000);
  console.log(stopped.aborted ? `stopped early after ${seconds} seconds` : `${seconds} seconds`);
  const isRight = [...counts.values()].every(({ tried, survived, lost }) => survived === tried && lost === 0);
  if (!isRight || stopped.aborted) process.exitCode = 1;
}

main().finally(() => rmSync(root, { recursive: true, force: true }));
