// Puts what tsc does not know beside the compiled code: Lua scripts, SQL, migrations.
import { cpSync } from 'node:fs';

for (const folder of ['redis/lua', 'pg/sql', 'pg/migrations']) {
  cpSync(new URL(`../src/${folder}`, import.meta.url), new URL(`../dist/${folder}`, import.meta.url), { recursive: true });
}
