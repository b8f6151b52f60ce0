import { usageError } from '../../../lib/errors.ts';
import type { NatMap } from './connection.ts';

/**
 * `10.0.0.5:6379=127.0.0.1:7001,10.0.0.6:6379=127.0.0.1:7002`: for a cluster in containers or behind address translation, what it calls a
 * server and where that is reached.
 *
 * @param name of the setting, for messages
 * @throws CouponError `BAD_NAT_MAP`
 */
export function parseNatMap(text: string, name = '--redis-nat-map'): NatMap {
  const map: Record<string, { host: string; port: number }> = {};
  for (const pair of text.split(',').filter((one) => one.trim() !== '')) {
    const [, told, host, port] = /^\s*(\S+:\d{1,5})=(\S+):(\d{1,5})\s*$/.exec(pair) ?? [];
    if (told === undefined || Number(port) < 1 || Number(port) > 65_535)
      throw usageError(
        'BAD_NAT_MAP',
        `${name}: "${pair.trim()}" is no pair of addresses`,
        'Write what the cluster says and where it is: 10.0.0.5:6379=127.0.0.1:7001.',
      );
    if (map[told]) throw usageError('BAD_NAT_MAP', `${name}: ${told} is there twice`, 'Name each server once.');
    map[told] = { host: host!.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  }
  return map;
}
