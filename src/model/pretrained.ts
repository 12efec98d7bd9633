import { readFile } from "node:fs/promises";
import path from "node:path";
import { cacheDir } from "../cache-dir.js";
import { InputError } from "../errors.js";
import type { Variant } from "./efficientnet.js";
import type { ParameterValue } from "./network.js";
import { readTorchCheckpoint } from "./pickle.js";
import { fromTorch } from "./torch-layout.js";

export async function loadPretrained(
  variant: Variant,
  options: { weights?: string } = {},
): Promise<{ parameters: Map<string, ParameterValue>; source: string }> {
  const file = options.weights ?? path.join(cacheDir(), "weights", `efficientnet-${variant}.pth`);
  const bytes = await readFile(file).catch(() => {
    throw new InputError({ expected: "weights", where: file, found: "no such file" });
  });
  return { parameters: fromTorch(readTorchCheckpoint(bytes, file), variant, file), source: file };
}
