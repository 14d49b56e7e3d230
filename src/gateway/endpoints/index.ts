import type { Endpoint } from './endpoint.ts';

export { approvalEndpoint } from './approval.ts';
export { authorityEndpoint } from './authority.ts';
export { decideEndpoint } from './decide.ts';
export type { Endpoint, EndpointRequest } from './endpoint.ts';
export { observeEndpoint } from './observe.ts';
export { healthEndpoint, type ReadyReport, readyEndpoint, resourceEndpoint } from './open.ts';
export { servicesEndpoint } from './services.ts';

export const APPROVALS_PREFIX = '/v1/approvals/';

/** Endpoints by exact path; `/v1/approvals/` takes the id behind it. Null: no endpoint is there. */
export function findEndpoint(endpoints: ReadonlyMap<string, Endpoint>, path: string): Endpoint | null {
  return endpoints.get(path.startsWith(APPROVALS_PREFIX) ? APPROVALS_PREFIX : path) ?? null;
}
