// What tests work in: a folder of their own, the command line, and small data sets that are drawn.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

export const projectDir = path.resolve(__dirname, "..");

/** A folder that is made before the tests that use it, and removed after them. */
export interface Workspace {
  /** Set once the first hook has run. */
  path: string;
  /** Returns the path of a file in it. */
  file(...names: string[]): string;
}

/**
 * Makes a folder for each test of the suite that calls this.
 *
 * @param scope - "suite" for one folder that all tests of the suite share.
 */
export function workspace(scope: "test" | "suite" = "test"): Workspace {
  const self: Workspace = { path: "", file: (...names) => path.join(self.path, ...names) };
  const make = () => {
    self.path = realpathSync(mkdtempSync(path.join(os.tmpdir(), "ferkit-test-")));
  };
  const remove = () => rmSync(self.path, { recursive: true, force: true });
  if (scope === "suite") {
    before("makes a folder", make);
    after("removes the folder", remove);
  } else {
    beforeEach("makes a folder", make);
    afterEach("removes the folder", remove);
  }
  return self;
}
