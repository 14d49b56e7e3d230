import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';

let gate: RealGate;
let plain: EchoUpstream;
let decoy: string;

beforeAll(async () => {
  plain = await openEchoUpstream();
  gate = await openRealGate({ detector: { responses: [{ of: 'call', from: 1, do: 'quarantine-agent' }] } });
  await gate.services.put(
    {
      name: 'plain',
      origins: [`http://plain.example:${plain.port}`],
      allowPrivate: true,
      credential: null,
      upstreamCa: null,
    },
    'admin',
  );
  const planted = await gate.detector.decoys.plant(
    { tenant: 'default', kind: 'credential', name: 'contained', severity: 'critical' },
    'admin',
  );
  decoy = planted.value;
});
afterAll(async () => {
  await gate?.close();
  plain?.close();
});

it('an agent that uses a decoy is quarantined where the configuration says so, and nobody else', async () => {
  const agent = await gate.newAgent(['plain:read']);
  const other = await GateClient.of(await gate.newAgent(['plain:read']), gate.gateway.port);
  const client = await GateClient.of(agent, gate.gateway.port);
  expect((await client.ask('/s/plain/a')).status).toBe(200);

  const before = plain.seen.length;
  const used = await client.ask(`/s/plain/?key=${decoy}`);
  expect(used.status).toBe(403);
  expect(plain.seen.length).toBe(before);

  expect(String((await client.ask('/s/plain/a')).json.code)).toMatch(/quarantined|revoked/);
  expect((await agent.request()).body.access_token).toBeUndefined();
  expect((await other.ask('/s/plain/a')).status).toBe(200);

  const [revoked] = await gate.eventsOf('passport.revoked');
  expect(revoked).toMatchObject({ kind: 'agent', value: agent.id, by: 'detector' });
  expect(revoked?.reason).toContain('A decoy was used');
  expect(await gate.eventsOf('agent.quarantined')).toHaveLength(1);
  const alerts = await gate.eventsOf('alert.raised');
  expect(alerts.map(({ title }) => title)).toEqual([
    'A decoy was used: contained',
    'The agent was quarantined',
  ]);
});
