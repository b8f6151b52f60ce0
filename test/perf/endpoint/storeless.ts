/**
 * The endpoint over stores that answer at once, in a process of its own: what HTTP, the routes and the schemas cost. Its argument is the
 * outcome of every request; it says its port to the parent, and ends with it. Started with `fork`.
 */
import type { AddressInfo } from 'node:net';
import type { AdmissionAnswer } from '../../../src/campaign/admission.ts';
import { buildServer, type HttpPorts } from '../../../src/admission/serve/server.ts';
import { warmUp } from '../../../src/admission/serve/warm-up.ts';

const answers: Record<string, AdmissionAnswer> = {
  accepted: { outcome: 'accepted', place: 'waiting', firstRequestUs: 1_764_000_000_000_000 },
  duplicate: { outcome: 'duplicate', place: 'waiting', firstRequestUs: 1_764_000_000_000_000 },
  sold_out: { outcome: 'sold_out' },
};
const answer = answers[process.argv[2]!]!;
const admission: HttpPorts['admission'] = { admit: async (_couponId, requests) => requests.map(() => answer) };
// Everything else is there for other routes.
const ports = { admission, coupons: {}, claims: {}, reader: {}, ledger: {}, health: { redis: {}, ledger: {} } } as unknown as HttpPorts;
const app = await buildServer(ports, { version: '0', keyStyle: 'plain', onFault: (error) => console.error(error) });
// As `serve` does.
await warmUp(1_000, new AbortController().signal);
await app.listen({ host: '127.0.0.1', port: 0 });
process.send!((app.server.address() as AddressInfo).port);
process.on('disconnect', () => process.exit());
