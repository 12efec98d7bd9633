// Values as people read them, and the forms in which an output is sent.
import { visible } from "../errors.js";

/** One output in several forms, by MIME type. A notebook shows the richest form that it knows. */
export type MimeBundle = Record<string, unknown>;

/** Writes a share as a percentage, "71.3%", with `digits` decimals. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}%`;
}

/** Writes a time as "45 s" or "2 min 5 s". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Writes a whole number with a comma between thousands: "35,887". */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

/** Escapes a text for HTML, between tags or in a quoted attribute; control characters are shown. */
export function escapeHtml(text: string): string {
  return visible(text, "\t\n\r")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
