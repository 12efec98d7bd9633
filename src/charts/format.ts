// The forms in which an output is sent.
import { visible } from "../errors.js";

/** One output in several forms, by MIME type. A notebook shows the richest form that it knows. */
export type MimeBundle = Record<string, unknown>;

/** Escapes a text for HTML, between tags or in a quoted attribute; control characters are shown. */
export function escapeHtml(text: string): string {
  return visible(text, "\t\n\r")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
