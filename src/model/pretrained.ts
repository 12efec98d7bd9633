import type { ParameterValue } from "./network.js";
export async function loadPretrained(_variant: string, _o: { weights?: string } = {}): Promise<{ parameters: Map<string, ParameterValue>; source: string }> { throw new Error("todo"); }
