/**
 * Takes the secrets of the settings out of texts. It is the last thing that happens to a text before it leaves the process, for
 * whatever a driver, a server or a stack trace may repeat.
 */

const MASK = '***';
/** Shorter ones are part of half of all words. */
const SHORTEST = 4;

/**
 * Words of our own output: field names, commands, stores. A password that is one of them cannot be hidden without spoiling every
 * document, and a reader cannot tell it from the word.
 */
const OWN_WORDS = new Set(
  (
    'coupon coupons coupon-cli redis postgres postgresql user users name names stock total state code error message warning event ' +
    'issued waiting claimed dead accepted duplicate unknown open paused closed true false null none database default password ' +
    'localhost settings value source environment file flag seed drain serve audit bench inspect submit config migrate demo'
  ).split(' '),
);

/** Names of parameters whose value is a secret. */
const SECRET_NAME = /pass(word|wd|phrase)?$|^pwd$|secret|token|^auth$|^scram_/i;

export class SecretMask {
  readonly #found = new Set<string>();
  #pattern: RegExp | null = null;

  /** Hides a secret, as it is and in every form in which it may come back. */
  learn(secret: string | undefined): void {
    if (!secret) return;
    for (const text of new Set([secret, decoded(secret)])) {
      // As it is, in a URL, in a document, and in a command to be copied into a shell.
      const forms = [text, ...urlForms(text), JSON.stringify(text).slice(1, -1), text.replaceAll("'", "'\\''")];
      for (const form of forms) if (form.length >= SHORTEST && !OWN_WORDS.has(form.toLowerCase())) this.#found.add(form);
    }
    // The longest first: a secret may be part of another one.
    const alternatives = [...this.#found]
      .toSorted((a, b) => b.length - a.length)
      .map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    this.#pattern = alternatives.length > 0 ? new RegExp(alternatives.join('|'), 'g') : null;
  }

  /** Hides what is secret in a URL, also in one that is not written as it should be. */
  learnUrl(url: string | undefined): void {
    if (!url) return;
    const start = url.indexOf('://');
    const rest = start < 0 ? url : url.slice(start + '://'.length);
    const authority = rest.split(/[/?#]/, 1)[0]!;
    const web = /^https?:/i.test(url);
    const login = rest.slice(0, Math.max(0, (web ? authority : rest).lastIndexOf('@')));
    const colon = login.indexOf(':');
    if (colon >= 0) this.learn(login.slice(colon + 1));
    // Where a / or the like was not escaped, any part of the password may be taken for a host, a path or a parameter.
    if (login.length > authority.lastIndexOf('@')) for (const part of login.split(/[:/?#@%&=[\]]/)) this.learn(part);
    // A password alone, in the place of a user.
    if (colon < 0 && /^rediss?:/i.test(url)) this.learn(login);
    for (const [, name, value] of rest.matchAll(/[?&\s]([\w.-]+)\s*=\s*('[^']*'|[^&\s]*)/g)) {
      if (SECRET_NAME.test(name!)) this.learn(value!.replaceAll("'", ''));
    }
  }

  /** The text without any secret that was learnt, and without the password of any URL of a store. */
  mask(text: string): string {
    const known = this.#pattern === null ? text : text.replace(this.#pattern, MASK);
    if (!known.includes('@')) return known;
    return known
      .replaceAll(/\b((?:rediss?|postgres(?:ql)?):\/\/[^\s:@/"'<>]*):[^\s"'<>]*@/gi, `$1:${MASK}@`)
      .replaceAll(/\b(https?:\/\/[^\s:@/?#"'<>]*):[^\s@/?#"'<>]+@/gi, `$1:${MASK}@`);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As a URL may hold it. */
function urlForms(text: string): string[] {
  if (/\p{Cs}/u.test(text)) return [];
  const url = new URL('redis://h');
  url.password = text;
  return [encodeURIComponent(text), encodeURI(text), url.password];
}
