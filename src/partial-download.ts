// What has come of a download so far, each in a folder that one process writes at a time.
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** Stands for the other processes on this machine in the names of their folders; caches are shared between machines too. */
const HOST = os.hostname().replace(/[^\w-]/g, "_");

/** A download of one process: its bytes, and what the server calls the version of the file that they are of. */
export class PartialDownload {
  private constructor(
    private readonly file: string,
    private readonly dir: string,
  ) {}

  /** Takes over what an earlier download of the file left, if any: one that gave up, or whose process is gone. */
  static async claim(file: string): Promise<PartialDownload> {
    const folder = path.dirname(file);
    const dir = `${file}.${HOST}.${process.pid}.${randomBytes(4).toString("hex")}.part`;
    await mkdir(folder, { recursive: true });
    const names = (await readdir(folder)).filter((name) => isAbandoned(name, path.basename(file)));
    for (const name of names)
      if (await rename(path.join(folder, name), dir).then(() => true, lostToAnother)) break;
    return new PartialDownload(file, dir);
  }

  /** The file that the bytes are appended to. */
  get bytes(): string {
    return path.join(this.dir, "bytes");
  }

  /** How many bytes there are, and of which version; null where nothing is there to go on from. */
  async begun(): Promise<{ length: number; version: string } | null> {
    try {
      const version = await readFile(path.join(this.dir, "version"), "utf8");
      const { size } = await stat(this.bytes);
      return version !== "" && size > 0 ? { length: size, version } : null;
    } catch {
      return null;
    }
  }

  /** Throws away what is there. @param version - Of the file that comes now; empty where the server does not tell. */
  async begin(version: string): Promise<void> {
    await this.discard();
    await mkdir(this.dir);
    await writeFile(path.join(this.dir, "version"), version);
  }

  /** Puts the bytes where the file is to be. */
  async finish(): Promise<void> {
    await rename(this.bytes, this.file);
    await this.discard();
  }

  /** Leaves what is worth it for a later download to go on from. */
  async release(): Promise<void> {
    if (await this.begun())
      await rename(this.dir, `${this.file}.part`).catch(() => this.discard()); // one is enough
    else await this.discard();
  }

  async discard(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

function lostToAnother(): false {
  return false;
}

/** Whether a folder is a download of the file that no process writes. */
function isAbandoned(name: string, file: string): boolean {
  if (name === `${file}.part`) return true;
  const [host, pid, ...rest] = name.startsWith(`${file}.`) ? name.slice(file.length + 1).split(".") : [];
  return host === HOST && rest.length === 2 && rest[1] === "part" && !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
