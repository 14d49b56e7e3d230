import { Child } from './lib/child.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, rounded } from './lib/statistics.ts';
import { SigningKey } from './load/agent.ts';
import type { AgentSpec } from './load/requests.ts';
import type { LoadFigures, LoadOrder } from './load/worker.ts';
import { measureExchange } from './passport/exchange.ts';
import { measureVerification } from './passport/verify.ts';

/** Passports from the gate, with everything on disk, beside oidc-provider in memory; in turn, medians of the rounds. */
const CONNECTIONS = 16;
const WARM_MS = 500;
const RESOURCE = 'https://api.bench.example';

const options = readOptions({ rounds: 5, seconds: 2 });
const stops: (() => Promise<void>)[] = [];
try {
  const [power, process] = [await startOurs('power'), await startOurs('process')];
  const bare = await startBare();
  const client = await Child.start('load/worker.ts', null);
  stops.push(() => client.stop());
  const subjects = [
    {
      name: 'sallyport',
      storage: 'power',
      agent: power,
      note: 'replay and issued passports in SQLite, safe from a power cut; a record of each',
    },
    {
      name: 'sallyport',
      storage: 'process',
      agent: process,
      note: 'the same, safe from the end of the process',
    },
    {
      name: 'bare-oidc-provider',
      storage: 'memory',
      agent: bare,
      note: 'everything in memory; no record, no list of passports, replay forgotten at restart',
    },
  ].map((one) => ({ ...one, figures: [] as LoadFigures[] }));
  const verification: LoadFigures[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const { agent, figures } of subjects) {
      const { hostname, port, host, pathname } = new URL(agent.tokenEndpoint);
      if (hostname !== '127.0.0.1') throw new Error('the issuer is not on this machine');
      const seconds = (WARM_MS + options.seconds * 1000) / 1000;
      const order: LoadOrder = {
        route: { port: Number(port), tunnel: null, tls: null },
        request: { kind: 'token', path: pathname, host, agent },
        connections: CONNECTIONS,
        warmMs: WARM_MS,
        measureMs: options.seconds * 1000,
        expected: Math.ceil((figures.at(-1)?.rps ?? 500) * seconds * 1.3),
      };
      figures.push(await client.ask<LoadFigures>(order));
    }
    verification.push(await measureVerification(options.seconds * 500));
  }
  const exchange = await measureExchange(options);
  const row = (
    name: string,
    storage: string,
    operation: string,
    figures: readonly LoadFigures[],
    note: string,
  ): Row => ({
    ...{ name, operation, storage },
    rps: Math.round(median(figures.map(({ rps }) => rps))),
    p50Ms: rounded(median(figures.map(({ p50Ms }) => p50Ms)), 3),
    p99Ms: rounded(median(figures.map(({ p99Ms }) => p99Ms)), 3),
    note,
  });
  report(
    'passport',
    [
      ...subjects.map(({ name, storage, figures, note }) =>
        row(name, storage, 'client-credentials-jwt-dpop', figures, note),
      ),
      row(
        'sallyport',
        'process',
        'verify-at-gateway',
        verification,
        'a known passport, a fresh proof; one at a time, in the process',
      ),
      ...exchange,
      {
        name: 'bare-oidc-provider',
        operation: 'verify-at-gateway',
        skipped: 'an issuer alone has no gateway',
      },
    ],
    { json: options.json },
  );
} finally {
  for (const stop of stops.toReversed()) await stop();
}

async function startOurs(durability: 'power' | 'process'): Promise<AgentSpec> {
  const child = await Child.start('passport/sallyport-issuer.ts', { resource: RESOURCE, durability });
  stops.push(() => child.stop());
  return child.ready.agent as AgentSpec;
}

async function startBare(): Promise<AgentSpec> {
  const key = new SigningKey();
  const child = await Child.start('passport/bare-provider.ts', {
    clientJwk: { ...key.publicJwk, kid: 'client', alg: 'ES256', use: 'sig' },
    signingJwk: { ...new SigningKey().privateJwk, kid: 'signing', alg: 'ES256', use: 'sig' },
    clientId: 'bench',
    audience: RESOURCE,
  });
  stops.push(() => child.stop());
  const issuer = String(child.ready.issuer);
  return {
    ...{ issuer, tokenEndpoint: `${issuer}/token`, clientId: 'bench', kid: 'client' },
    ...{ privateKeyPem: key.pem, resource: RESOURCE, scope: 'api:read' },
  };
}
