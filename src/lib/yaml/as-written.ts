/** Plain scalars that YAML takes for numbers, where the text as it is written counts. */
import { isAlias, isMap, isPair, isScalar, isSeq, Scalar, visit } from 'yaml';
import type { Document } from 'yaml';

/** A field of the maps in a list becomes the text as written. */
export function keepAsWritten(document: Document, { list, field }: { list: string; field: string }): void {
  const items = document.get(list, true);
  if (!isSeq(items)) return;
  for (const item of items.items) {
    const map = isAlias(item) ? item.resolve(document) : item;
    asWritten(isMap(map) ? map.get(field, true) : undefined);
  }
}

/**
 * The values of some maps become the text as written. A number that would be another one is a problem: one that a double rounds, and in `json`,
 * which goes out or is compared, one with zeros before it, which is an id.
 *
 * @param texts names of such maps; within `json` a name is only a name
 * @param problem called with an offset into the text
 */
export function keepDigits(document: Document, texts: readonly string[], problem: (offset: number, message: string) => void): void {
  visit(document, {
    Pair(_key, { key, value }, path) {
      if (isScalar(key) && texts.includes(String(key.value)) && isMap(value) && !isInJson(path))
        for (const { value: one } of value.items) asWritten(one);
    },
    Scalar(key, node, path) {
      if (key === 'key' || node.type !== Scalar.PLAIN || typeof node.value !== 'number' || !node.source) return;
      const isRounded = Number.isInteger(node.value) && !Number.isSafeInteger(node.value);
      if (!isRounded && !(/^[-+]?0\d/.test(node.source) && isInJson(path))) return;
      problem(node.range?.[0] ?? 0, `${node.source} would be read as the number ${node.value}: quote it, or write that`);
    },
  });
}

function isInJson(path: readonly object[]): boolean {
  return path.some((node) => isPair(node) && isScalar(node.key) && node.key.value === 'json');
}

function asWritten(node: unknown): void {
  if (isScalar(node) && node.type === Scalar.PLAIN && typeof node.value !== 'string' && node.source) node.value = node.source;
}
