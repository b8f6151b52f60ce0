import type { FastifyInstance } from 'fastify';
import { emptyApp } from '../../../http/app.ts';
import type { OnFault } from '../../../http/errors.ts';
import { sendProblem } from '../../../http/problem.ts';
import { dashboardPage, POLICY } from '../../../operate/live/page/page.ts';
import { isLoopback } from '../../targets.ts';

export interface DashboardOptions {
  intervalMs: number;
  /** Where it listens. */
  host: string;
  onFault: OnFault;
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The page and its view, and no other route. Ready to listen.
 *
 * @param view JSON of the latest view
 */
export async function buildDashboard(view: () => string, { intervalMs, host, onFault }: DashboardOptions): Promise<FastifyInstance> {
  const { app, complete } = emptyApp({ onFault, whereTo: 'the page is at /' });
  const page = dashboardPage(intervalMs);
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(HEADERS);
    // A name of somebody else's that leads to this machine (DNS rebinding) would let their page read this one.
    const named = hostOf(request.headers.host);
    if (isLoopback(host) && (named === '' || !isLoopback(named)))
      return sendProblem(reply, 'forbidden', 'This dashboard answers under the name of this machine alone: localhost or 127.0.0.1.');
    return undefined;
  });
  app.get('/', async (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get('/view.json', async (_request, reply) => reply.type('application/json; charset=utf-8').send(view()));
  return complete();
}

/** Without the port. */
function hostOf(header = ''): string {
  return header.replace(/:\d+$/, '');
}
