// The sessions of a run, each one process that trained it, and their record: `environment.json`.
import { existsSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../environment.js";
import { InputError, isOfContent } from "../errors.js";
import { moveAside, writeFileAtomically } from "../files.js";
import { prettyJson } from "../json.js";
import { readJsonFile, savedCheck } from "../saved-files.js";
import type { RunConfig } from "./run-config.js";

/** A part of a run that one process trained, and what it ran on. */
export interface Session extends Environment {
  /** Id of the run, as in its configuration; absent before version 0.3. */
  run?: string;
  /** First epoch of the session. */
  epoch: number;
  /** First batch of the session in that epoch, from 1; absent for runs of version 0.1. */
  batch?: number;
  /** Epochs that were configured, which may differ between the sessions of a run that was extended. */
  epochs?: number;
  /** ISO 8601, UTC. */
  started: string;
}

/** The sessions of a run, in order. */
export interface SessionRecord {
  /** Without those that cannot be read or are another run's, since a run does not depend on them. */
  sessions: Session[];
  /** What is wrong with the file, as "is of another run"; null if nothing is, or if there is none. */
  problem: string | null;
}

/** Reads the record of a run's sessions. */
export async function loadSessions(
  runDir: string,
  config: Pick<RunConfig, "id"> | undefined,
): Promise<SessionRecord> {
  const nothing = (problem: string | null): SessionRecord => ({ sessions: [], problem });
  const expected = { expected: "the sessions of a run", fix: "Rename it." };
  const read: unknown = await readJsonFile(recordFile(runDir), expected).catch((error) => {
    if (isOfContent(error)) return error;
    throw error;
  });
  if (read === undefined) return nothing(null);
  if (read instanceof InputError) return nothing(`is ${read.problem.found}`);
  if (!Array.isArray(read)) return nothing("is something other than a list of sessions");
  const check = await savedCheck("session");
  const sessions = (read as Session[]).filter((one) => check(one) === null);
  const own = sessions.filter(
    ({ run }) => run === undefined || config?.id === undefined || run === config.id,
  );
  if (own.length < sessions.length) return { sessions: own, problem: "is of another run" };
  const numOthers = read.length - sessions.length;
  return {
    sessions,
    problem: numOthers > 0 ? `has entries that are no sessions (${numOthers} of ${read.length})` : null,
  };
}

/** Records a session from its first batch on, and drops the record of what it trains again. */
export async function recordSession(runDir: string, session: Session): Promise<void> {
  const isEarlier = ({ epoch, batch = 1 }: Session) =>
    epoch < session.epoch || (epoch === session.epoch && batch < (session.batch ?? 1));
  const { sessions } = await loadSessions(runDir, { id: session.run });
  await writeFileAtomically(recordFile(runDir), prettyJson([...sessions.filter(isEarlier), session]));
}

/**
 * Checks the record of a run that resumes, and moves it aside if it is damaged or another run's.
 *
 * @returns The last session, if one is left, and what was wrong.
 */
export async function recoverSessions(
  runDir: string,
  config: RunConfig,
): Promise<{ last: Session | undefined; repairs: string[] }> {
  const { sessions, problem } = await loadSessions(runDir, config);
  const file = recordFile(runDir);
  const last = sessions.at(-1);
  if (problem === null || !existsSync(file)) return { last, repairs: [] };
  const repair = `environment.json ${problem}; the file is now ${await moveAside(file)}`;
  if (sessions.length > 0) await writeFileAtomically(file, prettyJson(sessions));
  return { last, repairs: [repair] };
}

function recordFile(runDir: string): string {
  return path.join(runDir, "environment.json");
}

/**
 * Starts the clock of a session.
 *
 * @param maxMinutes - 0 = no limit.
 * @returns Whether the time is over.
 */
export function startClock(maxMinutes: number): () => boolean {
  const started = performance.now();
  return () => maxMinutes > 0 && performance.now() - started >= 60_000 * maxMinutes;
}
