/** One load in a process of its own; sends its processor time per request, microseconds, to the parent. Started with `fork`. */
import autocannon from 'autocannon';
import { loadPlan, runLoad } from '../bench/load/plans.ts';

const [url, kind, count] = process.argv.slice(2) as [string, 'ours' | 'stock', string];
const requests = Number(count);

async function stock(): Promise<void> {
  const body = JSON.stringify({ userId: 'user-123456' });
  const headers = { 'content-type': 'application/json' };
  await autocannon({ url: `${url}/coupons/c/requests`, method: 'POST', body, headers, connections: 50, amount: requests });
}

const plan = loadPlan(url, { users: requests, vus: 50 });
const before = process.cpuUsage();
await (kind === 'ours' ? runLoad(plan) : stock());
const { user, system } = process.cpuUsage(before);
process.send!((user + system) / requests);
process.disconnect();
