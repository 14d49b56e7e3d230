import { LoadConnection, type Route } from './connection.ts';

export interface LoadPlan {
  readonly route: Route;
  readonly connections: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** The bytes of the next request; made before its clock starts. */
  readonly next: () => string | Buffer;
}

export interface LoadResult {
  /** Of each request in the measured time, milliseconds, ascending. */
  readonly latencies: readonly number[];
  readonly requestsPerSecond: number;
  readonly bodyBytes: number;
  /** All that were answered, those before the measured time too. */
  readonly answered: number;
}

/** Keeps `connections` busy one request each. Throws on the first answer that is not 200: a fast refusal is no figure. */
export async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const open = await Promise.all(
    Array.from({ length: plan.connections }, () => LoadConnection.open(plan.route)),
  );
  const latencies: number[] = [];
  let bodyBytes = 0;
  let answered = 0;
  const from = performance.now() + plan.warmMs;
  const until = from + plan.measureMs;
  const work = async (connection: LoadConnection): Promise<void> => {
    for (;;) {
      const request = plan.next();
      const began = performance.now();
      if (began >= until) return;
      const answer = await connection.ask(request);
      const ended = performance.now();
      if (answer.status !== 200) throw new Error(`a request was answered ${answer.status}`);
      if (answer.closes) throw new Error('the connection is not kept alive');
      answered += 1;
      if (ended < from || ended > until) continue;
      latencies.push(ended - began);
      bodyBytes = answer.bodyBytes;
    }
  };
  try {
    await Promise.all(open.map(work));
  } finally {
    for (const connection of open) connection.close();
  }
  latencies.sort((a, b) => a - b);
  const requestsPerSecond = latencies.length / (plan.measureMs / 1000);
  return { latencies, requestsPerSecond, bodyBytes, answered };
}
