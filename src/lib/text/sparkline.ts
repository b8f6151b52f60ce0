const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * The last values as a line of bars, one cell each; a value that is not known leaves a gap.
 *
 * @param most the value of a full bar; the largest of the values unless given
 */
export function sparkline(values: readonly (number | null)[], width: number, most?: number): string {
  const shown = values.slice(-width);
  const top = most ?? Math.max(0, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) => {
    if (value === null) return ' ';
    // Zero is the lowest bar alone: little is seen as more than nothing.
    return value <= 0 || top <= 0 ? BARS[0] : BARS[Math.min(BARS.length - 1, Math.max(1, Math.ceil((value / top) * BARS.length) - 1))]!;
  });
  return bars.join('').padStart(width);
}
