import { usageError } from '../../lib/errors.ts';

/** Where another service keeps a coupon. */
export interface SourceKeys {
  hash: string;
  queue: string;
  /** Before and after the user id. */
  issued: { head: string; tail: string };
}

/** As a person writes them: `{id}` stands for the coupon id, `{user}` for the user id. */
export interface KeyTemplates {
  hashKey?: string | undefined;
  queueKey?: string | undefined;
  issuedKey?: string | undefined;
}

/**
 * The keys of one coupon; those of this program where nothing is said.
 *
 * @throws CouponError `BAD_KEY_TEMPLATE`
 */
export function sourceKeys({ hashKey, queueKey, issuedKey }: KeyTemplates, couponId: string, own: SourceKeys): SourceKeys {
  const filled = (option: string, template: string): string => {
    if (template.includes('{id}')) return template.replaceAll('{id}', couponId);
    throw bad(option, template, 'has no {id} in it', `Write {id} where the coupon id stands, such as coupon:{id}.`);
  };
  return {
    hash: hashKey === undefined ? own.hash : filled('--hash-key', hashKey),
    queue: queueKey === undefined ? own.queue : filled('--queue-key', queueKey),
    issued: issuedKey === undefined ? own.issued : aroundUser(filled('--issued-key', issuedKey), issuedKey),
  };
}

function aroundUser(filled: string, template: string): SourceKeys['issued'] {
  const [head, tail, more] = filled.split('{user}');
  if (head === undefined || tail === undefined || more !== undefined) {
    const what = tail === undefined ? 'has no {user} in it' : 'has more than one {user} in it';
    throw bad('--issued-key', template, what, 'Write {user} once, where the user id stands, such as issued:{id}:{user}.');
  }
  return { head, tail };
}

function bad(option: string, template: string, what: string, fix: string) {
  return usageError('BAD_KEY_TEMPLATE', `${option}: "${template}" ${what}`, fix);
}
