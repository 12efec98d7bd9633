import os from "node:os";
import path from "node:path";

/** The user's cache: downloads and what is made from them, shared by all checkouts. */
export function cacheDir(): string {
  return (
    process.env.FERKIT_CACHE ??
    path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "ferkit")
  );
}
