import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AccessOptions, Limit } from '../../../admission/serve/access.ts';
import { usageError } from '../../../lib/errors.ts';
import { utf8Text } from '../../../lib/text/utf8.ts';
import type { Context } from '../../context.ts';
import { isLoopback } from '../../targets.ts';

export interface AccessFlags {
  jwtSecretFile?: string | undefined;
  jwtJwksUrl?: string | undefined;
  jwtIssuer?: string | undefined;
  jwtAudience?: string | undefined;
  jwtUserClaim: string;
  operatorTokenFile?: string | undefined;
  protectMetrics?: true | undefined;
  rateLimitUser?: string | undefined;
  rateLimitAddress?: string | undefined;
  trustTheProxy?: true | undefined;
}

/** HS256 is as strong as its key (RFC 7518 §3.2); shorter ones are guessed. */
const LEAST_SECRET_BYTES = 32;
const WINDOW_MS = { s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Who may ask for what, by the flags of `serve`.
 *
 * @throws CouponError `SERVE_USAGE`, `IDENTITY_NEEDED` on an address that others reach when nothing says who asks
 */
export async function accessOf(context: Context, flags: AccessFlags, host: string): Promise<AccessOptions> {
  const { jwtSecretFile, jwtJwksUrl, jwtIssuer: issuer, jwtAudience: audience, jwtUserClaim: userClaim } = flags;
  if (jwtSecretFile !== undefined && jwtJwksUrl !== undefined)
    throw usage('--jwt-secret-file and --jwt-jwks-url exclude each other', 'Give the one that the tokens are signed with.');
  const identified = jwtSecretFile !== undefined || jwtJwksUrl !== undefined;
  if (!identified && (issuer !== undefined || audience !== undefined))
    throw usage('--jwt-issuer and --jwt-audience are about tokens', 'Add --jwt-jwks-url or --jwt-secret-file.');
  if (!identified && !flags.trustTheProxy && !isLoopback(host)) {
    throw usageError(
      'IDENTITY_NEEDED',
      `on ${host} any client could ask in the name of any user: the request itself names the user`,
      'Let tokens say it (--jwt-jwks-url or --jwt-secret-file), or add --trust-the-proxy when a proxy in front has checked who asks.',
    );
  }
  if (flags.protectMetrics && flags.operatorTokenFile === undefined)
    throw usage('--protect-metrics needs the token of an operator', 'Add --operator-token-file.');
  const keys =
    jwtSecretFile !== undefined
      ? { secret: secretOf(context, jwtSecretFile) }
      : jwtJwksUrl !== undefined
        ? { jwksUrl: urlOfKeys(jwtJwksUrl) }
        : null;
  const perUser = limitOf(flags.rateLimitUser, '--rate-limit-user');
  const perAddress = limitOf(flags.rateLimitAddress, '--rate-limit-address');
  return {
    ...(keys
      ? { identity: (await import('../../../admission/serve/identity.ts')).jwtIdentity({ keys, issuer, audience, userClaim }) }
      : {}),
    ...(flags.operatorTokenFile === undefined ? {} : { operatorToken: tokenOf(context, flags.operatorTokenFile) }),
    protectMetrics: flags.protectMetrics === true,
    ...(perUser ? { perUser } : {}),
    ...(perAddress ? { perAddress } : {}),
  };
}

function secretOf(context: Context, file: string): Uint8Array {
  const secret = withoutMark(bytesOf(context, file, '--jwt-secret-file'));
  context.env.secrets.learn(secret.toString());
  if (/^(\xff\xfe|\xfe\xff)/.test(secret.toString('latin1')) && secret.includes(0))
    throw usage(`the secret in ${file} is UTF-16`, 'Save it as UTF-8. PowerShell: Set-Content -Encoding utf8.');
  if (secret.length >= LEAST_SECRET_BYTES) return secret;
  throw usage(
    `the secret in ${file} has ${secret.length} bytes`,
    `Use at least ${LEAST_SECRET_BYTES} random bytes; a shorter one can be guessed.`,
  );
}

function tokenOf(context: Context, file: string): string {
  const token = withoutMark(bytesOf(context, file, '--operator-token-file')).toString();
  context.env.secrets.learn(token);
  if (/^[!-~]{16,}$/.test(token)) return token;
  throw usage(`the token in ${file} is too short, or holds other characters than visible ASCII`, 'Use at least 16 of them.');
}

/** A text without the byte order mark and the line end that editors add; other bytes as they are, because a key may be any. */
function withoutMark(bytes: Buffer): Buffer {
  const text = utf8Text(bytes);
  return text === null ? bytes : Buffer.from(text.replace(/\r?\n$/, ''));
}

function bytesOf(context: Context, file: string, flag: string): Buffer {
  try {
    return readFileSync(resolve(context.env.cwd, file));
  } catch (error) {
    throw usage(`${flag}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, 'Name a readable file.');
  }
}

function urlOfKeys(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) return url;
  throw usage(`--jwt-jwks-url: "${text}" is no https:// address`, 'Keys that come unencrypted over a network are anybody’s.');
}

function limitOf(text: string | undefined, flag: string): Limit | null {
  if (text === undefined) return null;
  const [, max, unit] = /^([1-9]\d{0,8})\/([smh])$/.exec(text) ?? [];
  if (max === undefined) throw usage(`${flag}: "${text}" is no limit`, 'Write requests per second, minute or hour: 5/s, 100/m, 1000/h.');
  return { max: Number(max), windowMs: WINDOW_MS[unit as keyof typeof WINDOW_MS] };
}

function usage(message: string, fix: string) {
  return usageError('SERVE_USAGE', message, fix);
}
