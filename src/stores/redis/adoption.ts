import type { AdoptionSource, AdoptionStore, Fields } from '../../operate/adopt/ports.ts';
import { chunked } from '../../lib/chunked.ts';
import { redisClaims } from './claims.ts';
import type { RedisConnection } from './connection/connection.ts';
import { redisCoupons, settingFields } from './coupons.ts';
import { couponKeys, issuedPattern, withoutPrefix, withPrefix, type KeyStyle } from './keys/keys.ts';
import { toBytes, toText } from './keys/members.ts';
import { redisReader } from './reader.ts';
import { redisRepairs } from './repairs.ts';
import { repliesOf } from './keys/replies.ts';
import { escapeGlob, scanAllBytes } from './keys/scan.ts';
import { runScript, SCRIPT_USERS } from './script.ts';
import { couponFault } from './keys/wrong-type.ts';

const PAGE = 1_000;

/** The keys of another service that has begun a coupon. */
export function redisAdoptionSource(connection: RedisConnection, style: KeyStyle): AdoptionSource {
  const { client, prefix } = connection;
  const reader = redisReader(connection, style);
  const explained = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw connection.explain(error);
    }
  };

  return {
    now: () => reader.now(),
    foreignKeys: () => reader.scanForeign(),

    async hash(key) {
      const fields = fieldsOf(await explained(client.hgetallBuffer(key)));
      return Object.keys(fields).length === 0 ? null : fields;
    },

    async wrongType(key, expected) {
      const found = await explained(client.type(key));
      return found === 'none' || found === expected ? null : { key: withPrefix(prefix, key), found, expected };
    },

    async *queue(key) {
      let cursor = '0';
      do {
        const [next, flat] = await explained(client.zscanBuffer(key, cursor, 'COUNT', PAGE));
        cursor = String(next);
        yield Array.from({ length: flat.length / 2 }, (_, i) => ({
          member: toText(flat[2 * i]!),
          score: toScore(String(flat[2 * i + 1])),
        }));
      } while (cursor !== '0');
    },

    async *issued({ issued: { head, tail } }) {
      const match = withPrefix(prefix, `${escapeGlob(head)}*${escapeGlob(tail)}`);
      for await (const chunk of scanAllBytes(connection, { match, count: PAGE })) {
        const keys = chunk.map((key) => withoutPrefix(prefix, toText(key)));
        for (const part of chunked(keys, PAGE)) yield await explained(issuedKeys(connection, part, head, tail));
      }
    },

    async haveIssued({ issued: { head, tail } }, userIds) {
      const types = await Promise.all(userIds.map((userId) => explained(client.type(toBytes(`${head}${userId}${tail}`)))));
      return types.map((type) => type === 'hash');
    },

    async own(couponId) {
      const keys = couponKeys(couponId, style);
      const types = client.pipeline().type(keys.coupon).exists(keys.queue).exists(keys.admitted).exists(keys.leases);
      const replies = repliesOf(types.exists(keys.dead).exists(keys.claims));
      const [type, queue, ...records] = (await explained(replies)) as [string, number, ...number[]];
      const mine = type === 'hash' ? await explained(client.hmget(keys.coupon, 'epoch', 'suspect')) : [];
      return {
        hash: type !== 'none',
        queue: queue > 0,
        records: records.some((one) => one > 0),
        epoch: mine[0] ?? '',
        suspect: mine[1] ?? '',
      };
    },

    ownKeys(couponId) {
      const keys = couponKeys(couponId, style);
      const [head = '', tail = ''] = issuedPattern(couponId, style).split('*');
      return { hash: keys.coupon, queue: keys.queue, issued: { head, tail } };
    },
  };
}

/** What taking such a coupon over writes. */
export function redisAdoptionStore(connection: RedisConnection, style: KeyStyle): AdoptionStore {
  const { index } = redisCoupons(connection, style);
  const { bind, adopt, rehash } = redisRepairs(connection, style);
  const { ack } = redisClaims(connection, style);
  const run = async (name: 'take-over' | 'finish-adoption', couponId: string, args: readonly (string | number | Buffer)[]) => {
    const keys = couponKeys(couponId, style);
    try {
      return await runScript(connection.client, name, keys, [], args);
    } catch (error) {
      throw await couponFault(connection, keys, error);
    }
  };

  return {
    index,
    bind,
    adopt,
    rehash,
    ack,

    async takeOver(couponId, epoch, users) {
      let status: 'ok' | 'epoch' | 'done' = 'ok';
      for (const share of chunked(users, SCRIPT_USERS)) {
        const args = share.flatMap(({ member, userId, us }) => [toBytes(member), userId, us ?? '']);
        status = (await run('take-over', couponId, [epoch, ...args])) as typeof status;
        if (status !== 'ok') return status;
      }
      return status;
    },

    async finishAdoption(coupon, stock) {
      const { id, epoch, version, total, saleState } = coupon;
      const runId = connection.runOf(couponKeys(id, style).coupon);
      const args = [epoch, runId, version, total, saleState ?? 'open', stock.field ?? '', stock.by, ...settingFields(coupon)];
      return (await run('finish-adoption', id, args)) as Awaited<ReturnType<AdoptionStore['finishAdoption']>>;
    },
  };
}

async function issuedKeys({ client }: RedisConnection, keys: readonly string[], head: string, tail: string) {
  // The keys of a service need not lie on one server.
  return await Promise.all(
    keys.map(async (key) => {
      const [type, hash] = await Promise.all([
        client.type(toBytes(key)),
        client.hgetallBuffer(toBytes(key)).catch((error: Error) => {
          if (error.message.startsWith('WRONGTYPE')) return null;
          throw error;
        }),
      ]);
      return { key, userId: key.slice(head.length, key.length - tail.length), fields: hash === null ? null : fieldsOf(hash), type };
    }),
  );
}

function fieldsOf(hash: Record<string, Buffer>): Fields {
  return Object.fromEntries(Object.entries(hash).map(([name, value]) => [nameText(name), valueText(value)]));
}

/** The client has made text of the names: what is left of the first bytes of a serialised Java text. */
const JDK_NAME = '\ufffd\ufffd\u0000\u0005t';

function nameText(name: string): string {
  // Two bytes of the length follow.
  return name.startsWith(JDK_NAME) ? String.raw`\xac\xed\x00\x05t` + name.slice(JDK_NAME.length + 2) : name;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Names of coupons may hold what a member may not: only bytes that are no text are escaped. */
function valueText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return toText(bytes);
  }
}

function toScore(text: string): number {
  return text === 'inf' ? Number.POSITIVE_INFINITY : text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
