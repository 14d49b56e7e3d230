import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { ASSERTION_TYPE, makeProof, openBench, TestAgent } from '../../test/unit/passport/support.ts';
import type { BenchOptions } from '../lib/options.ts';
import type { Row } from '../lib/report.ts';
import { median, quantile, rounded } from '../lib/statistics.ts';
import { openPlainProvider } from './plain-provider.ts';
import { EXCHANGE, type ExchangeTarget } from './target.ts';

const IN_FLIGHT = 16;
const REQUESTS_A_SECOND = 400;

/**
 * Token exchange, beside the same grant written plainly for oidc-provider: one after the other, round after round, in
 * one process that also makes the load, so that the ratio is smaller than that of the two alone. Ours writes each
 * passport to SQLite.
 */
export async function measureExchange(
  options: Pick<BenchOptions, 'rounds' | 'seconds'>,
): Promise<readonly Row[]> {
  const limit = { perSecond: 1e9, burst: 1e9 };
  const ours = await openBench({ limits: { client: limit, address: limit } });
  const [planner, worker] = [await TestAgent.register(ours), await TestAgent.register(ours)] as const;
  const targets: readonly ExchangeTarget[] = [
    {
      name: 'sallyport',
      issuer: ours.issuer,
      subjectToken: (from, to) => from.passport({ may_act: to.id }),
      close: () => ours.close(),
    },
    await openPlainProvider([planner, worker]),
  ];
  const figures = new Map(targets.map(({ name }) => [name, { rps: [] as number[], ms: [] as number[] }]));

  for (let round = 0; round <= options.rounds; round += 1) {
    for (const target of targets) {
      const { rps, ms } = await measure(target, [planner, worker], options.seconds);
      // The first round warms up.
      if (round === 0) continue;
      figures.get(target.name)?.rps.push(rps);
      figures.get(target.name)?.ms.push(...ms);
    }
  }
  const rows = targets.map(({ name }) => {
    const { rps, ms } = figures.get(name) ?? { rps: [], ms: [] };
    const sorted = ms.toSorted((a, b) => a - b);
    return {
      name,
      operation: 'token-exchange',
      rps: rounded(median(rps), 0),
      p50Ms: rounded(quantile(sorted, 0.5), 2),
      p99Ms: rounded(quantile(sorted, 0.99), 2),
    };
  });
  for (const target of targets) await target.close();
  return rows;
}

async function measure(
  target: ExchangeTarget,
  [planner, worker]: readonly [TestAgent, TestAgent],
  seconds: number,
): Promise<{ rps: number; ms: number[] }> {
  const subject = await target.subjectToken(planner, worker);
  // Signed beforehand: what the client does is not what is measured.
  const count = Math.ceil(seconds * REQUESTS_A_SECOND);
  const requests = await Promise.all(Array.from({ length: count }, () => prepare(target, worker, subject)));
  const ms: number[] = [];
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
        const at = performance.now();
        const answer = await fetch(`${target.issuer}/token`, request);
        const { access_token, ...rest } = (await answer.json()) as Record<string, unknown>;
        if (typeof access_token !== 'string') throw new Error(`${target.name}: ${JSON.stringify(rest)}`);
        ms.push(performance.now() - at);
      }
    }),
  );
  return { rps: (count * 1000) / (performance.now() - begun), ms };
}

async function prepare(
  { issuer }: ExchangeTarget,
  worker: TestAgent,
  subject_token: string,
): Promise<RequestInit> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: worker.id, sub: worker.id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 300 };
  const client_assertion = await new SignJWT(claims)
    .setProtectedHeader({ alg: worker.key.alg, kid: worker.key.thumbprint })
    .sign(worker.key.privateKey);
  const body = new URLSearchParams({
    grant_type: EXCHANGE,
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'github:read',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion,
  });
  const dpop = await makeProof(worker.dpop, { htm: 'POST', htu: `${issuer}/token` });
  return { method: 'POST', body, headers: { dpop } };
}
