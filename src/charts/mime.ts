/** One output in several forms, by MIME type; a notebook front end shows the richest one it knows. */
export type MimeBundle = Record<string, unknown>;
