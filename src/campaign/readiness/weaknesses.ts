/** What makes the word of a store weaker than users take it to be: one judgement for the commands that begin, and for `doctor`. */
import type { RedisDurability } from '../ports/health.ts';

/** A setting of PostgreSQL that loses what was committed. */
export interface DatabaseWeakness {
  setting: 'fsync' | 'full_page_writes' | 'synchronous_commit';
  what: string;
}

function nameOf(address: string | null): string {
  return address === null ? 'Redis' : `Redis at ${address}`;
}

/** Null: nothing is evicted, or this user may not know. */
export function evictionWeakness({ address, evictionPolicy }: RedisDurability): string | null {
  if (evictionPolicy === null || evictionPolicy === 'noeviction') return null;
  return `${nameOf(address)} has maxmemory-policy ${evictionPolicy}: at its memory limit it drops coupons, and users who were accepted`;
}

/** Null: each answer is on the disk, or this user may not know. */
export function diskWeakness({ address, appendOnly, fsync }: RedisDurability): string | null {
  if (appendOnly === false)
    return `${nameOf(address)} keeps no append-only file: users who were told "accepted" are lost when it ends (appendonly no)`;
  if (fsync === null || fsync === 'always') return null;
  return address === null
    ? `a crash of the machine loses what Redis accepted in the last second or more (appendfsync ${fsync})`
    : `a crash of the machine of ${address} loses what its Redis accepted in the last second or more (appendfsync ${fsync})`;
}

export function databaseWeaknesses(settings: Readonly<Record<DatabaseWeakness['setting'], string>>): DatabaseWeakness[] {
  const texts: Record<DatabaseWeakness['setting'], string> = {
    fsync: 'PostgreSQL runs with fsync off: a crash of the machine can damage the whole database',
    full_page_writes: 'PostgreSQL runs with full_page_writes off: a crash of the machine can damage the whole database',
    synchronous_commit:
      'PostgreSQL runs with synchronous_commit off: a crash loses the rows of its last moments, which audit --repair finds',
  };
  return (Object.keys(texts) as DatabaseWeakness['setting'][])
    .filter((setting) => settings[setting] === 'off')
    .map((setting) => ({ setting, what: texts[setting] }));
}
