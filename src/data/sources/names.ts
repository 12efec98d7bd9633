import path from "node:path";

/** The sources of ferkit's own, which stand where else a path would, with their names for titles. */
export const OWN_SOURCES: Readonly<Record<string, string>> = {
  synthetic: "synthetic faces",
  fer2013: "FER-2013",
};

/** What a data set is called in titles, of what `data` names: a source of ferkit's own, or a path. */
export function dataName(data: string): string {
  return OWN_SOURCES[data] ?? path.basename(data).replace(/\.(tar\.gz|tgz|tar|zip)$/i, "");
}
