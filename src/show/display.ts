import { randomBytes } from "node:crypto";
import type { MimeBundle } from "../charts/mime.js";
import { kernelHooks } from "./kernel-hooks.js";

/** Shows an output in several forms below the running cell; outside a notebook it does nothing. */
export function show(bundle: MimeBundle): void {
  showLive(bundle);
}

/** Shows an output and returns what puts another one in its place. */
export function showLive(bundle: MimeBundle): (next: MimeBundle) => void {
  const displayId = randomBytes(8).toString("hex");
  const { display } = kernelHooks();
  display?.(bundle, displayId, false);
  return (next) => display?.(next, displayId, true);
}
