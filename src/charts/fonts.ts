// Text on pictures needs a font, and many servers and containers have none.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { cacheDir, writeFileAtomically } from "../files.js";

const FONT_PACKAGE = "@expo-google-fonts/inter";
/** The weights that the theme uses. */
const FONT_FOLDERS = ["400Regular", "600SemiBold"];
const SYSTEM_CONFIG = "/etc/fonts/fonts.conf";

let installing: Promise<string> | undefined;

/**
 * Makes the package's own font known to the library that draws text, beside the system's fonts.
 *
 * The library reads its configuration once, when it first draws text, so whatever draws text waits for this first.
 *
 * @returns The fontconfig file in use.
 * @throws InputError when the user's cache cannot be written.
 */
export function installFonts(): Promise<string> {
  installing ??= writeConfig().catch((error) => {
    installing = undefined;
    throw error;
  });
  return installing;
}

async function writeConfig(): Promise<string> {
  const root = path.dirname(require.resolve(`${FONT_PACKAGE}/package.json`));
  const folder = path.join(cacheDir(), "fonts");
  const config = fontConfig(
    FONT_FOLDERS.map((name) => path.join(root, name)),
    process.env.FONTCONFIG_FILE ?? SYSTEM_CONFIG,
    path.join(folder, "cache"),
  );
  // One file for each place the package can lie at, so that two checkouts do not overwrite each other's.
  const file = path.join(folder, `${createHash("sha256").update(config).digest("hex").slice(0, 12)}.conf`);
  if (!existsSync(file)) await writeFileAtomically(file, config);
  process.env.FONTCONFIG_FILE = file;
  return file;
}

function fontConfig(fontFolders: string[], included: string, cache: string): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    ...fontFolders.map((folder) => `  <dir>${escapeXml(folder)}</dir>`),
    `  <include ignore_missing="yes">${escapeXml(included)}</include>`,
    `  <cachedir>${escapeXml(cache)}</cachedir>`,
    "</fontconfig>",
    "",
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
