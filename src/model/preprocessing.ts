export interface Preprocessing {
  mean: number[];
  std: number[];
}
export function preprocessing(_variant: string): Preprocessing {
  return { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] };
}
