import { randomBytes } from "node:crypto";
import type { MimeBundle } from "../charts/mime.js";
import { kernelHooks } from "./kernel-hooks.js";

/** An output that is in the notebook already. */
export interface Handle {
  /** Puts another output in its place. */
  update(bundle: MimeBundle): void;
}

/** Shows an output in several forms below the running cell; outside a notebook it does nothing. */
export function show(bundle: MimeBundle): Handle {
  const displayId = randomBytes(8).toString("hex");
  const { display } = kernelHooks();
  display?.(bundle, displayId, false);
  return { update: (next) => display?.(next, displayId, true) };
}
