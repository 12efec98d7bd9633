import assert from "node:assert/strict";
import { type Checked, type Context, load, type Needs, setUpSandbox } from "./fixtures.js";

interface Machine {
  nodeVersion: string;
  platform: string;
  arch: string;
  osRelease: () => string;
  glibcVersion: () => string | undefined;
  run: (file: string, args: string[]) => string | undefined;
  freeBytes: (dir: string) => number;
  disk: (dir: string) => number;
  whyUnwritable: (dir: string) => string | undefined;
}

describe("checkPrerequisites", () => {
  const sandbox = setUpSandbox();
  const versions: Record<string, string> = { python3: "3.12.3", "g++": "g++ 13" };
  let machine: Machine;
  let check: (needs: Needs) => Promise<Checked>;

  beforeEach(() => {
    machine = {
      nodeVersion: "22.12.0",
      platform: "linux",
      arch: "x64",
      osRelease: () => 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n',
      glibcVersion: () => "2.39",
      run: (file) => versions[file],
      freeBytes: () => 50e9,
      disk: () => 1,
      whyUnwritable: () => undefined,
    };
    check = async (needs) => {
      const { checkPrerequisites } = await load<{
        checkPrerequisites: (context: Context, needs: Needs, asked: Machine) => Checked;
      }>("prerequisites");
      return checkPrerequisites(sandbox.context, needs, machine);
    };
  });
  const messages = ({ problems }: Checked) => problems.map(({ message }) => message);

  it("finds nothing missing on a complete machine and names the commands", async () => {
    const checked = await check({ python: true, compiler: true, cache: true, project: true });
    assert.deepEqual(checked, { problems: [], python: "python3", compiler: "g++" });
  });

  it("names the command for an old Node", async () => {
    machine.nodeVersion = "20.18.3";
    assert.deepEqual(messages(await check({})), [
      "Expected Node 20.19 or later but found 20.18.3. " +
        "Run: nvm install 22, or install a current release from https://nodejs.org/en/download",
    ]);
  });

  it("says what is supported on another platform", async () => {
    Object.assign(machine, { platform: "darwin", arch: "arm64" });
    assert.deepEqual(messages(await check({})), [
      "Expected Linux on x86-64 with glibc 2.27 or later but found darwin on arm64. Use WSL 2 on Windows, and on macOS or " +
        "ARM a Linux x86-64 machine or container: docker run --platform linux/amd64 -it node:22-bookworm bash",
    ]);
  });

  it("says what is supported where there is no glibc", async () => {
    machine.glibcVersion = () => undefined;
    assert.deepEqual(messages(await check({})), [
      "Expected Linux on x86-64 with glibc 2.27 or later but found another C library. " +
        "Use a distribution of 2018 or later with glibc (not Alpine): docker run -it node:22-bookworm bash",
    ]);
  });

  it("names the commands for a missing Python and a missing compiler together", async () => {
    machine.run = () => undefined;
    assert.deepEqual(messages(await check({ python: true, compiler: true })), [
      "Expected Python 3.10 or later but found no python3 on PATH. Run: sudo apt-get install python3 python3-venv",
      "Expected a C++ compiler (g++, c++, clang++) but found none on PATH. Run: sudo apt-get install g++",
    ]);
  });

  it("names the version of an old Python", async () => {
    machine.run = (file) => (file === "python3" ? "3.8.10" : undefined);
    assert.deepEqual(messages(await check({ python: true })), [
      "Expected Python 3.10 or later but found 3.8.10 as python3. Run: sudo apt-get install python3 python3-venv",
    ]);
  });

  it("takes a newer Python beside an old one", async () => {
    machine.run = (file) => ({ python3: "3.8.10", "python3.11": "3.11.7" })[file];
    assert.equal((await check({ python: true })).python, "python3.11");
  });

  it("names the package for a Python without venv", async () => {
    machine.run = (file, args) => (args[1]?.includes("ensurepip") ? undefined : versions[file]);
    assert.deepEqual(messages(await check({ python: true })), [
      "Expected Python's venv and ensurepip modules but found python3 3.12.3 without them. Run: sudo apt-get install python3-venv",
    ]);
  });

  it("adds up what the cache and the clone need on one disk", async () => {
    machine.freeBytes = () => 2e9; // ≥ 1.6 GB and ≥ 1.2 GB, yet not 2.8 GB
    assert.deepEqual(messages(await check({ cache: true, project: true })), [
      `Expected 2.8 GB of free disk at ${sandbox.context.root} but found 2.0 GB. Free some: df -h ${sandbox.context.root}.`,
    ]);
    machine.disk = (dir) => (dir === sandbox.context.root ? 1 : 2);
    assert.deepEqual(messages(await check({ cache: true, project: true })), []);
  });

  it("says how to choose another cache where this one is full or not writable", async () => {
    machine.freeBytes = () => 0.4e9;
    assert.deepEqual(messages(await check({ cache: true })), [
      `Expected 1.6 GB of free disk at ${sandbox.context.cacheDir} but found 0.4 GB. Free some: df -h ${sandbox.context.cacheDir}. ` +
        "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup",
    ]);
    machine.whyUnwritable = () => "EACCES";
    assert.deepEqual(messages(await check({ cache: true })), [
      `Expected a writable folder at ${sandbox.context.cacheDir} but found permission denied. Run: sudo chown -R "$(id -un)" ${sandbox.folder}. ` +
        "Or choose another folder: FERKIT_CACHE=/path/with/room npm run setup",
    ]);
  });
});
