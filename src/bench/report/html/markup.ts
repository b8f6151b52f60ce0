import { visible } from '../../../lib/text/visible.ts';
import { jsonText } from '../../../lib/text/terminal.ts';

/** HTML from templates in which every value is escaped, unless it is markup already. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | readonly Markup[];

export function markup(parts: TemplateStringsArray, ...values: Value[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + markupOf(values[index - 1]!) + part));
}

function markupOf(value: Value): string {
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map((one) => one.text).join('\n');
  return escapeMarkup(String(value));
}

/** For text and for attributes in quotes, in HTML and in XML alike. */
function escapeMarkup(text: string): string {
  const shown = text.replaceAll(/[^\n\t]+/g, visible);
  return shown.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

/** JSON that is safe in a script element: no `</script>` and no `<!--` can arise, and it stays valid JSON. */
export function inlineJson(value: unknown): Markup {
  return new Markup(jsonText(value).replaceAll('<', '\\u003c'));
}
