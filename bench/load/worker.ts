import { answerMessages, tellReady } from '../lib/child.ts';
import { quantile } from '../lib/statistics.ts';
import type { Route } from './connection.ts';
import { prepareRequests, type RequestSpec, requestUnbound } from './requests.ts';
import { runLoad } from './run-load.ts';

/** What the parent asks a load generator for. */
export interface LoadOrder {
  readonly route: Route;
  readonly request: RequestSpec;
  readonly connections: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** How many requests to prepare. */
  readonly expected: number;
}

export interface LoadFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rps: number;
  readonly requests: number;
  readonly bodyBytes: number;
  readonly answered: number;
}

answerMessages(async (order: LoadOrder): Promise<LoadFigures> => {
  const next = await prepareRequests(order.request, order.expected);
  const route = await withPassport(order.route);
  const { latencies, requestsPerSecond, bodyBytes, answered } = await runLoad({ ...order, route, next });
  return {
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    rps: requestsPerSecond,
    requests: latencies.length,
    bodyBytes,
    answered,
  };
});
tellReady({});

/** A passport lives five minutes: each load gets a fresh one. */
async function withPassport(route: Route): Promise<Route> {
  const { tunnel } = route;
  if (tunnel?.bearer === undefined) return route;
  const fields = `${tunnel.fields}proxy-authorization: Bearer ${await requestUnbound(tunnel.bearer)}\r\n`;
  return { ...route, tunnel: { authority: tunnel.authority, fields } };
}
