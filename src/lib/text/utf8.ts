const strict = new TextDecoder('utf-8', { fatal: true });

/**
 * The text of a file that a person wrote, without a byte order mark; null: it is not UTF-8. Windows writes UTF-16 and code pages of its
 * own, of which half would be read as other characters, and the rest be lost.
 */
export function utf8Text(bytes: Uint8Array): string | null {
  // No text has a NUL; every second byte of UTF-16 is one.
  if (bytes.includes(0)) return null;
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

export const SAVE_AS_UTF8 = 'Save it as UTF-8. PowerShell: Set-Content -Encoding utf8.';

/** Whether a text that was decoded leniently was none: of the beginning of a file, where its columns are named. */
export function isNoUtf8(text: string): boolean {
  return /[\0\uFFFD]/.test(text);
}
