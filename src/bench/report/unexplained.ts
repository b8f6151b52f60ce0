/** Replies that decided nothing, counted by what they look like: what a wrong path, a proxy or a limiter said. */
import { printable } from '../../lib/text/visible.ts';
import type { Outcome } from '../../campaign/outcome.ts';

export interface UnexplainedReply {
  outcome: Outcome;
  status: number;
  /** Null when the reply named none. */
  contentType: string | null;
  /** Beginning of the first such body, control characters escaped; of a redirect without a body, where it leads. */
  body: string;
  count: number;
  /** Of the first such reply, those of {@link TELLING_HEADERS} that it had; left out: none. */
  headers?: Partial<Record<(typeof TELLING_HEADERS)[number], string>>;
}

/** What says where to go, when to come back, or who is allowed. */
export const TELLING_HEADERS = ['location', 'retry-after', 'www-authenticate'] as const;

const BODY_CHARACTERS = 200;
/** Kinds of replies that are told apart. */
const KINDS = 100;
/** Kinds that a report shows. */
const SHOWN = 5;
const DECIDED_NOTHING: ReadonlySet<Outcome> = new Set<Outcome>(['unexpected', 'unknown_coupon', 'unavailable']);

export class UnexplainedReplies {
  readonly #kinds = new Map<string, UnexplainedReply>();

  /** @param headers names and values in turn */
  add(outcome: Outcome, status: number, headers: readonly string[], body: string): void {
    if (!DECIDED_NOTHING.has(outcome)) return;
    const contentType = headerOf(headers, 'content-type');
    const kind = `${outcome} ${status} ${contentType}`;
    const known = this.#kinds.get(kind);
    if (known) known.count += 1;
    else if (this.#kinds.size < KINDS) {
      const location = headerOf(headers, 'location');
      const said = body.trim() === '' && location !== null ? `Location: ${location}` : body;
      const telling = tellingHeaders(headers);
      this.#kinds.set(kind, {
        outcome,
        status,
        contentType: contentType && printable(contentType),
        body: printable(said.slice(0, BODY_CHARACTERS), BODY_CHARACTERS),
        count: 1,
        ...(telling === null ? {} : { headers: telling }),
      });
    }
  }

  get top(): UnexplainedReply[] {
    return topOf([...this.#kinds.values()]);
  }
}

function tellingHeaders(headers: readonly string[]): NonNullable<UnexplainedReply['headers']> | null {
  const found = TELLING_HEADERS.flatMap((name) => {
    const value = headerOf(headers, name);
    return value === null ? [] : [[name, printable(value, BODY_CHARACTERS)] as const];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

/** The replies of several processes as if one had counted them. */
export function mergeUnexplained(parts: readonly (readonly UnexplainedReply[])[]): UnexplainedReply[] {
  const merged = new Map<string, UnexplainedReply>();
  for (const reply of parts.flat()) {
    const kind = `${reply.outcome} ${reply.status} ${reply.contentType}`;
    const known = merged.get(kind);
    if (known) known.count += reply.count;
    else merged.set(kind, { ...reply });
  }
  return topOf([...merged.values()]);
}

function topOf(replies: readonly UnexplainedReply[]): UnexplainedReply[] {
  return replies.toSorted((a, b) => b.count - a.count).slice(0, SHOWN);
}

/** The value of a header among names and values in turn; null when it is not there. */
export function headerOf(headers: readonly string[], name: string): string | null {
  for (let index = 0; index + 1 < headers.length; index += 2) if (headers[index]!.toLowerCase() === name) return headers[index + 1]!;
  return null;
}
