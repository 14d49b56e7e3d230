import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Meters } from '../../../src/compose/watch/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

let stats: Readonly<Record<string, number>> | null = null;
const meters = new Meters({
  ready: async () => ({ database: true }),
  outbox: async () => ({ records: 0, overdueMs: 0 }),
  auditSequence: () => 0,
  guardState: () => 'absent',
  guardCounts: () => ({ scored: 0, remembered: 0, late: 0, absent: 0, restarts: 0 }),
  guardStats: async () => stats,
  policyFaults: () => 0,
  certificates: () => new Map([['gateway', 1_000]]),
  version: 'test',
});

it('docs/reference/metrics.md names every metric of ours with its type and labels, and no other', async () => {
  const page = readFileSync(join(repositoryRoot, 'docs/reference/metrics.md'), 'utf8');
  const told = [...page.matchAll(/^\| `(sallyport_\w+)` \| (\w+) \|([^|]*)\|/gm)].map(
    ([, name, type, labels]) => `${name} ${type} ${(labels ?? '').replaceAll('`', '').trim()}`,
  );
  const found = meters.registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('sallyport_'))
    .map((metric) => {
      const { name, type, labelNames } = metric as unknown as {
        name: string;
        type: string;
        labelNames: string[];
      };
      return `${name} ${type} ${labelNames.join(', ')}`;
    });
  expect(told.sort()).toEqual(found.sort());
  // What alert rules and queries ask for exists.
  for (const [name] of page.matchAll(/\bsallyport_[a-z_]+/g)) {
    const base = name.replace(/_(bucket|count|sum)$/, '');
    expect(
      found.some((one) => one.startsWith(`${base} `)),
      name,
    ).toBe(true);
  }
});

it('labels are bounded: services and checks beyond the limit count as other', async () => {
  for (let at = 0; at < 500; at++) {
    const finding = {
      check: `rule.${at}`,
      title: '',
      severity: 'low',
      score: 0,
      evidence: '',
      references: [],
    } as const;
    meters.observe({
      type: 'call.refused',
      tenant: 'default',
      at: 0,
      data: {
        call: {
          id: `call_${at}`,
          door: 'reverse',
          action: 'http.call',
          resource: `service-${at}`,
          target: '',
          bodyInspected: false,
          bodyDigest: null,
        },
        actor: null,
        code: 'policy_denied',
        detail: null,
        internal: null,
        policies: [],
        findings: [finding],
        remote: null,
      },
    });
  }
  const text = await meters.registry.metrics();
  expect(text.match(/^sallyport_calls_refused_total\{/gm)).toHaveLength(201);
  expect(text.match(/^sallyport_findings_total\{/gm)).toHaveLength(201);
  expect(text).toContain('sallyport_calls_refused_total{service="other",code="policy_denied"} 300');
  expect(text).toContain('sallyport_tls_certificate_expiry_seconds{listener="gateway"} 1');
});

it('counters of the engine are told while there is one, begin anew with a new one, and times are seconds', async () => {
  const rows = async () => {
    const text = await meters.registry.metrics();
    return text.split('\n').filter((line) => line.startsWith('sallyport_guard_engine_'));
  };
  expect(await rows()).toEqual([]);
  const nextFetch = () => new Promise((resolve) => setTimeout(resolve, 600));
  await nextFetch();
  stats = { completed: 7, late: 1, tokens: 900, cachedTokens: 600, computeMs: 1500, queued: 2 };
  expect(await rows()).toEqual([
    'sallyport_guard_engine_requests_total{outcome="completed"} 7',
    'sallyport_guard_engine_requests_total{outcome="late"} 1',
    'sallyport_guard_engine_tokens_total{from="computed"} 900',
    'sallyport_guard_engine_tokens_total{from="prefix"} 600',
    'sallyport_guard_engine_compute_seconds_total 1.5',
    'sallyport_guard_engine_waiting{state="queued"} 2',
  ]);
  await nextFetch();
  stats = { completed: 1, late: 0 };
  expect(await rows()).toEqual([
    'sallyport_guard_engine_requests_total{outcome="completed"} 1',
    'sallyport_guard_engine_requests_total{outcome="late"} 0',
  ]);
});
