import { openApiDocument } from '../openapi.ts';
import { defineRoute, type Route } from '../route.ts';
import { jsonObject } from '../schemas.ts';

/** The route that describes all of them, itself included. */
export function describe(routes: readonly Route[]): Route {
  const description: Route = defineRoute({
    method: 'get',
    path: '/openapi.json',
    summary: 'This interface as an OpenAPI 3.1 document.',
    roles: ['admin', 'approver', 'auditor'],
    result: jsonObject,
    handle: async () => openApiDocument([...routes, description]),
  });
  return description;
}
