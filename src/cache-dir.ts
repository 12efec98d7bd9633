import os from "node:os";
import path from "node:path";

/** The user's cache: downloads and what is made from them, shared by all checkouts. */
export function cacheDir(): string {
  const { FERKIT_CACHE, XDG_CACHE_HOME } = process.env;
  if (FERKIT_CACHE) return path.resolve(FERKIT_CACHE);
  // The XDG specification has empty and relative paths ignored.
  const isUsable = XDG_CACHE_HOME !== undefined && path.isAbsolute(XDG_CACHE_HOME);
  return path.join(isUsable ? XDG_CACHE_HOME : path.join(os.homedir(), ".cache"), "ferkit");
}
