import { type Device, device } from "./engine/device.js";
import { tf } from "./engine/tf.js";
import { type Machine, machine } from "./machine.js";
import { commitOf, ferkitVersion, PROJECT_DIR } from "./version.js";

/** What ferkit runs on. */
export interface Environment {
  versions: { ferkit: string; node: string; tfjs: string; tensorflow: string };
  /** Of ferkit's clone, ending in "-dirty" where files differ from it; null where it is none. */
  commit: string | null;
  machine: Machine;
  device: Device["kind"];
  kernels: Device["kernels"];
}

export async function environment(): Promise<Environment> {
  const [ferkit, commit] = await Promise.all([ferkitVersion(), commitOf(PROJECT_DIR)]);
  const { kind, tensorflow, kernels } = device();
  const versions = { ferkit, node: process.versions.node, tfjs: tf.version.tfjs, tensorflow };
  return { versions, commit, machine: machine(), device: kind, kernels };
}
