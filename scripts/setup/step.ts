// A step of the second stage of set-up, and what it works with.
import type pins from "./pins.json";

/** What bootstrap.mjs hands over. */
export interface Context {
  root: string;
  env: NodeJS.ProcessEnv;
  /** The key in `pins.json` and `platforms.cjs`, such as "linux-x64". */
  platform: string;
  /** Set-up's own state, in the clone. */
  stateDir: string;
  /** Shared by all clones of a user. */
  cacheDir: string;
  /** Folder of wheels to use before downloading; empty if there is none. */
  wheelsDir: string;
  nodeModulesDir: string;
  venvPython: string;
  accelerator: "cpu" | "gpu";
  /** Variants whose ImageNet weights are wanted. */
  weights: string[];
  pins: typeof pins;
  /** Runs work that keeps a core busy, as soon as one is free and no longer work waits: about `seconds`, by default 1. */
  onCore: <T>(work: () => Promise<T>, seconds?: number) => Promise<T>;
  /** Prints a line beside the progress. */
  note: (text: string) => void;
}

/** Shows what a step is doing. */
export type Show = (text: string) => void;

export interface Step {
  name: string;
  isCurrent(context: Context): boolean;
  /** Returns a remark for the progress line, such as "from the cache". */
  run(context: Context, show: Show): Promise<string | undefined>;
}
