// Puts what tsc does not know beside the compiled code: Lua scripts, SQL, migrations.
import { cpSync } from 'node:fs';

for (const folder of ['stores/redis/lua', 'stores/postgres/sql', 'stores/postgres/migrations']) {
  cpSync(new URL(`../src/${folder}`, import.meta.url), new URL(`../dist/${folder}`, import.meta.url), { recursive: true });
}
