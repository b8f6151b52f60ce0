/** A level over time, made of straight segments, as k6 writes it: `{duration, target}` from wherever the last stage ended. */
export interface Stage {
  durationMs: number;
  target: number;
}

export function stagesMs(stages: readonly Stage[]): number {
  return stages.reduce((sum, stage) => sum + stage.durationMs, 0);
}

/** The level at a time, milliseconds from the start of the first stage; after the last one it stays. */
export function levelAt(start: number, stages: readonly Stage[], ms: number): number {
  let from = start;
  let left = ms;
  for (const { durationMs, target } of stages) {
    if (left < durationMs) return from + ((target - from) * left) / durationMs;
    left -= durationMs;
    from = target;
  }
  return from;
}
