/** The sources of ferkit's own, which stand where else a path would, with their names for titles. */
export const OWN_SOURCES: Readonly<Record<string, string>> = {
  synthetic: "synthetic faces",
  fer2013: "FER-2013",
};
