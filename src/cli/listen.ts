import type { FastifyInstance } from 'fastify';
import { CouponError } from '../lib/errors.ts';

export interface ListenOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** What a person would have to change. */
  flags: { host: string; port: string };
}

/**
 * Listens, and returns the URL under which a client on this machine finds the server.
 *
 * @throws CouponError `PORT_TAKEN`, `BAD_HOST`; the server is closed then
 */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<string> {
  const { host, port } = options;
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw listenError(error, options);
  }
  const { port: bound } = app.server.address() as { port: number };
  return urlOf(host, bound);
}

/** "Every address" is nothing that a client can connect to. */
export function urlOf(host: string, port: number): string {
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

function listenError(error: unknown, { host, port, flags }: ListenOptions): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    return new CouponError({
      code: 'PORT_TAKEN',
      kind: 'usage',
      message: `port ${port} on ${host} cannot be used`,
      why: code === 'EACCES' ? 'ports below 1024 need more rights on this system' : 'another process listens there',
      fix: `Choose another one with ${flags.port}, or ${flags.port} 0 for any that is free.`,
    });
  }
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'].includes(code)) {
    return new CouponError({
      code: 'BAD_HOST',
      kind: 'usage',
      message: `"${host}" is not an address of this machine`,
      why: message,
      fix: `Use ${flags.host} 127.0.0.1 for this machine alone, or ${flags.host} 0.0.0.0 for all who can reach it.`,
    });
  }
  return error;
}
