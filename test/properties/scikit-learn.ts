// scikit-learn in an environment of its own in ferkit's cache, to compare with.
import { execFile } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { findVenvPython } from "../../scripts/jupyter.js";
import { cacheDir } from "../../src/files.js";

const run = promisify(execFile);
const VERSION = "1.7.2";

/** Returns the Python that has scikit-learn; null if pip cannot install it here. */
async function findPython(): Promise<string | null> {
  const dir = path.join(cacheDir(), `test-scikit-learn-${VERSION}`);
  const stamp = path.join(dir, "complete");
  const python = path.join(dir, "bin/python");
  if (existsSync(stamp)) return python;
  rmSync(dir, { recursive: true, force: true });
  try {
    await run(findVenvPython(), ["-m", "venv", dir]);
    const options = ["--only-binary=:all:", "--disable-pip-version-check", "--quiet"];
    await run(python, ["-m", "pip", "install", ...options, `scikit-learn==${VERSION}`]);
    writeFileSync(stamp, "");
    return python;
  } catch {
    return null;
  }
}

/** Labels and predictions of some images. */
export interface Case {
  numClasses: number;
  labels: number[];
  predicted: number[];
}

export interface Expected {
  matrix: number[][];
  accuracy: number;
  macroF1: number;
  precision: number[];
  recall: number[];
  f1: number[];
}

const CODE = `
import json, sys, warnings
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, recall_score
warnings.simplefilter("ignore")
def scored(case):
    y, p, names = case["labels"], case["predicted"], list(range(case["numClasses"]))
    each = {"labels": names, "average": None, "zero_division": 0}
    return {
        "matrix": confusion_matrix(y, p, labels=names).tolist(),
        "accuracy": accuracy_score(y, p),
        "macroF1": f1_score(y, p, average="macro", zero_division=0),
        "precision": precision_score(y, p, **each).tolist(),
        "recall": recall_score(y, p, **each).tolist(),
        "f1": f1_score(y, p, **each).tolist(),
    }
print(json.dumps([scored(case) for case in json.load(sys.stdin)]))
`;

/** Scores all cases with scikit-learn, in one process; null if it is not there. */
export async function scoresOf(cases: Case[]): Promise<Expected[] | null> {
  const python = await findPython();
  if (python === null) return null;
  const scored = run(python, ["-c", CODE], { maxBuffer: 1e8 });
  scored.child.stdin?.end(JSON.stringify(cases));
  return JSON.parse((await scored).stdout);
}
