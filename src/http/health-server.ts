import type { FastifyInstance } from 'fastify';
import { emptyApp } from './app.ts';
import type { OnFault } from './errors.ts';
import { healthRoutes, type HealthChecks } from './health-routes.ts';

/** A server with nothing but the routes of health, for a process that serves no requests. Ready to listen. */
export async function buildHealthServer(checks: HealthChecks, onFault: OnFault): Promise<FastifyInstance> {
  const { app, complete } = emptyApp({ onFault, whereTo: '/livez, /readyz and /metrics are here' });
  healthRoutes(app, checks);
  return complete();
}
