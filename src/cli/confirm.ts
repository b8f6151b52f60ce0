import { usageError } from '../lib/errors.ts';
import { shellQuoted } from '../lib/text/suggested-command.ts';
import type { Context } from './context.ts';

export interface Confirmation {
  /** Whether the flag was given; the id that came with it, where one is wanted. */
  given: boolean | string | undefined;
  /** What is about to happen, as a question. */
  question: string;
  /** The id that has to be typed once more, for what cannot be undone; otherwise yes is enough. */
  typed?: string;
  /** What to add where nobody can be asked; without the id. */
  flag: string;
}

/**
 * The one way in which a command makes sure: a flag, or on a terminal a question, whose answer is no unless somebody types otherwise.
 *
 * @throws CouponError `CONFIRM_NEEDED` when nobody can be asked, `NOT_CONFIRMED` when the answer is no
 */
export async function confirm({ env, out }: Context, { given, question, typed, flag }: Confirmation): Promise<void> {
  if (typed === undefined ? given === true : given === typed) return;
  const whole = typed === undefined ? flag : `${flag}=${shellQuoted(typed)}`;
  // Another id is a mistake, on a terminal too.
  if (!env.interactive || out.json || typeof given === 'string')
    throw usageError(
      'CONFIRM_NEEDED',
      `not confirmed: ${question}`,
      `If that is what you want, add ${whole}. --dry-run says what would be done.`,
    );
  const { Prompt } = await import('./prompt.ts');
  using prompt = new Prompt(env);
  const answer = await prompt.ask({
    text: typed === undefined ? `${question} yes or no` : `${question} Type ${typed} to go on`,
    initial: 'no',
    parse: (text) => text,
  });
  const isYes = typed === undefined ? /^y(es)?$/i.test(answer) : answer === typed;
  if (!isYes) throw usageError('NOT_CONFIRMED', 'not confirmed; nothing was changed', `Answer ${typed ?? 'yes'}, or add ${whole}.`);
}
