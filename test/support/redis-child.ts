/** Starts a Redis, says its process id, and stays. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/stack/ports.ts';
import { launchRedis, redisProgram } from './redis-process.ts';

const dir = mkdtempSync(join(tmpdir(), 'coupon-redis-'));
const { pid } = await launchRedis(await redisProgram(), { port: await freePort(dir), dir });
console.log(pid);
setInterval(() => undefined, 1e6);
