import { styleText } from 'node:util';

/** The few ways in which text may stand out. Each returns its argument unchanged when colour is off. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

type Format = keyof Paint;
const FORMATS: readonly Format[] = ['bold', 'dim', 'green', 'yellow', 'red'];

export function painter(colour: boolean): Paint {
  const paint = (format: Format) => (text: string) => (colour ? styleText(format, text, { validateStream: false }) : text);
  return Object.fromEntries(FORMATS.map((format) => [format, paint(format)])) as unknown as Paint;
}
