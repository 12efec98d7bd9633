import { stat } from "node:fs/promises";
import path from "node:path";
import { downloadFile } from "../../download.js";
import { cacheDir } from "../../files.js";
import type { OnProgress } from "../../progress.js";

/** FER-2013 as class folders of JPEG files. */
const URL = "https://codeload.github.com/parth1620/Facial-Expression-Dataset/tar.gz/refs/heads/master";

/**
 * Downloads the archive of FER-2013's class folders into the cache, once, and returns its path. The environment variable
 * `FERKIT_FER2013_URL` names a mirror.
 */
export async function downloadFer2013(onProgress?: OnProgress): Promise<string> {
  const file = path.join(cacheDir(), "downloads", "fer2013.tar.gz");
  if ((await stat(file).catch(() => null)) !== null) return file;
  await downloadFile(process.env.FERKIT_FER2013_URL ?? URL, file, {
    onProgress,
    instead: "Download it in another way, and give the archive or folder with --data PATH.",
  });
  return file;
}
