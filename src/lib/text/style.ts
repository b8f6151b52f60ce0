import { styleText } from 'node:util';

/** How much room there is for a table, and what of it was asked for. */
export interface Layout {
  /** Columns of the terminal; null: as wide as it gets. */
  width: number | null;
  /** For other programs: one row a line, values between tabs, nothing shortened. */
  tabs: boolean;
  /** Every column in full, however wide. */
  wide: boolean;
  /** Names of the columns to show; null: those that fit. */
  columns: readonly string[] | null;
}

const AS_IT_IS: Layout = { width: null, tabs: false, wide: false, columns: null };

/** How a text may look: the few ways in which a part may stand out (each returns its argument when colour is off), and the room there is. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
  cyan(text: string): string;
  /** An instant (ISO 8601), as the user wants to read it. */
  time(instant: string): string;
  readonly layout: Layout;
}

/** The same for text that is indented. */
export function inset(paint: Paint, by: number): Paint {
  const { layout } = paint;
  return { ...paint, layout: { ...layout, width: layout.width === null ? null : Math.max(1, layout.width - by) } };
}

type Format = Exclude<keyof Paint, 'layout' | 'time'>;
const FORMATS: readonly Format[] = ['bold', 'dim', 'green', 'yellow', 'red', 'cyan'];

/** @param time left out: as it is written, in UTC */
export function painter(colour: boolean, layout: Layout = AS_IT_IS, time: Paint['time'] = (instant) => instant): Paint {
  const paint = (format: Format) => (text: string) => (colour ? styleText(format, text, { validateStream: false }) : text);
  const formats = Object.fromEntries(FORMATS.map((format) => [format, paint(format)])) as Pick<Paint, Format>;
  return { ...formats, layout, time };
}
