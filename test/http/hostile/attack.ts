import { Wire } from './wire.ts';
import type { Shape } from './shapes.ts';

/** What went wrong, by shape: what came instead of the right answer. Empty: nothing did. */
export type Wrong = Map<string, string>;

/** Requests that go out on one connection before it waits for the answers. */
const AHEAD = 60;
const LANES = 8;
const HONEST = 'GET /livez HTTP/1.1\r\nHost: shop.example\r\n\r\n';

export interface Attack {
  sent: number;
  wrong: Wrong;
  /** Users whom a shape gets accepted. */
  admitted: string[];
}

/** So many requests in shapes that leave the connection open, many ahead of their answers. */
export async function pipelined(url: string, shapes: readonly Shape[], count: number, first = 0): Promise<Attack> {
  const wrong: Wrong = new Map();
  const admitted: string[] = [];
  let next = first;
  const lane = async (): Promise<void> => {
    const wire = new Wire(url);
    while (next < first + count) {
      const batch = Array.from({ length: Math.min(AHEAD, first + count - next) }, (_, i) => ({
        n: next + i,
        shape: shapes[(next + i) % shapes.length]!,
      }));
      next += batch.length;
      wire.write(batch.map(({ n, shape }) => shape.text(n)).join(''));
      const heard = await wire.hear(batch.length);
      for (const [i, { n, shape }] of batch.entries()) {
        judge(wrong, shape, heard[i]);
        if (shape.admits) admitted.push(shape.admits(n));
      }
      if (heard.length < batch.length) break;
    }
    wire.close();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { sent: next - first, wrong, admitted };
}

/** So many requests after which the server hangs up: each behind an honest one, and before one that must not be answered any more. */
export async function oneByOne(url: string, shapes: readonly Shape[], count: number): Promise<Attack> {
  const wrong: Wrong = new Map();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const shape = shapes[n % shapes.length]!;
      const wire = new Wire(url);
      wire.write(HONEST + shape.text(n) + HONEST);
      const [honest, hostile, more] = await wire.hear(3);
      if (honest?.status !== 200) wrong.set(shape.name, `an honest request before it got ${honest?.status ?? 'no answer'}`);
      judge(wrong, shape, hostile);
      if (more) wrong.set(shape.name, `something behind it got ${more.status}`);
      wire.close();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { sent: next, wrong, admitted: [] };
}

function judge(wrong: Wrong, { name, status, code }: Shape, heard: { status: number; headers: string; body: string } | undefined): void {
  if (!heard) {
    wrong.set(name, 'no answer');
    return;
  }
  const said = /"code":"(\w+)"/.exec(heard.body)?.[1];
  const isProblem = /^content-type: application\/problem\+json/im.test(heard.headers);
  if (heard.status !== status || said !== code || isProblem !== (code !== undefined)) wrong.set(name, `${heard.status} ${said}`);
}
