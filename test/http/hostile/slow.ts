import { Wire } from './wire.ts';

const DRIP_EVERY_MS = 500;

const HEAD = 'POST /coupons/c/requests HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n';
export const SLOW: Readonly<Record<string, { at: string; drip: string }>> = {
  'one header after the other': { at: HEAD, drip: 'X: y\r\n' },
  'a header letter by letter': { at: `${HEAD}X: `, drip: 'x' },
  'a first line letter by letter': { at: 'GET /', drip: 'a' },
  silence: { at: HEAD, drip: '' },
  'a body letter by letter': { at: `${HEAD}Content-Length: 10000\r\n\r\n{"userId":"`, drip: 'x' },
  'a body chunk by chunk': { at: `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, drip: '1\r\n \r\n' },
};

/** Sends a request that does not come to an end, a little at a time, until the server has enough of it. */
export async function slowly(url: string, { at, drip }: { at: string; drip: string }): Promise<number | 'no answer'> {
  const wire = new Wire(url);
  wire.write(at);
  const answer = wire.hear(1);
  const timer = setInterval(() => wire.write(drip), DRIP_EVERY_MS);
  const [heard] = await answer;
  clearInterval(timer);
  wire.close();
  return heard?.status ?? 'no answer';
}
