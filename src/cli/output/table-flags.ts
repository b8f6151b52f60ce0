import type { Command } from 'commander';

export const WIDE = '--wide';
export const WIDE_ABOUT = 'every column in full, however narrow the terminal is';

/** Options of a command that shows a list; the output reads them. */
export function withTableFlags<Given extends object>(command: Given): Given {
  // extra-typings is the same class with types that follow the options.
  (command as unknown as Command)
    .option('--columns <names>', 'columns to show, in this order, such as coupon,stock')
    .option(WIDE, WIDE_ABOUT);
  return command;
}
