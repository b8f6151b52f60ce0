import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { BEFORE_ROUTES } from '../../http/problem.ts';

/** Makes the OpenAPI document out of the schemas of the routes. To be called before they stand. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'coupon-cli',
        version,
        description: 'First-come-first-served coupons. Errors are RFC 9457 problem documents.',
      },
    },
    // In the document alone: these answers do not come from the routes, and no serializer of theirs writes them.
    transformObject(document) {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const { openapiObject } = document;
      for (const path of Object.values(openapiObject.paths ?? {})) {
        for (const operation of Object.values(path ?? {})) {
          if (typeof operation === 'object' && 'responses' in operation) Object.assign(operation.responses, { default: BEFORE_ROUTES });
        }
      }
      return openapiObject;
    },
  });
}
