import { setStage } from './gateway/stage.ts';
import type { Target } from './gateway/target.ts';
import { Child, processorMs, residentMiB } from './lib/child.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, rounded } from './lib/statistics.ts';
import type { LoadFigures, LoadOrder } from './load/worker.ts';

/**
 * What the gate adds to a call, beside its peers: everything in turn, round after round, with the same client
 * against the same upstream; medians of the rounds.
 */
const CONNECTIONS = [1, 16, 64] as const;
const WARM_MS = 400;

const options = readOptions({ rounds: 5, seconds: 1.5 });
const stage = await setStage(options);
const client = await Child.start('load/worker.ts', null);
interface Figures extends LoadFigures {
  /** Processor time of the target's processes for one call, microseconds. */
  readonly cpuUs: number;
}

const figures = new Map<Target, Map<number, Figures[]>>(stage.targets.map((target) => [target, new Map()]));
const faults = new Map<Target, string>();
try {
  for (const target of options.warmSeconds > 0 ? stage.targets : []) await warm(target);
  for (let round = 0; round < options.rounds; round++) {
    for (const connections of CONNECTIONS) {
      for (let at = 0; at < stage.targets.length; at++) {
        // Another one begins each round: none stands always behind the same neighbour.
        const target = stage.targets[(at + round) % stage.targets.length];
        if (target !== undefined && !faults.has(target)) await measure(target, connections);
      }
    }
    if (!options.json) process.stderr.write(`round ${round + 1} of ${options.rounds}\n`);
  }
  const rows = [
    ...stage.targets.map(rowOf),
    ...stage.absent.map(({ labels, skipped }): Row => ({ ...labels, skipped })),
  ];
  report('gateway', rows, {
    json: options.json,
    notes: [
      '',
      'added*: beside direct in the same round, one connection, ms; rps16: requests a second at 16 connections; cpuUs16: processor time of its processes for one call, µs; rss: MiB after the run.',
    ],
  });
} finally {
  await client.stop();
  await stage.stop();
}

async function warm(target: Target): Promise<void> {
  const measureMs = options.warmSeconds * 1000;
  const { route, request } = target;
  const order: LoadOrder = { route, request, connections: 16, warmMs: 0, measureMs, expected: 1500 };
  await client.ask<LoadFigures>(order).catch((fault: unknown) => void faults.set(target, sentenceOf(fault)));
}

async function measure(target: Target, connections: number): Promise<void> {
  const known = figures.get(target)?.get(connections) ?? [];
  const seconds = (WARM_MS + options.seconds * 1000) / 1000;
  const order: LoadOrder = {
    route: target.route,
    request: target.request,
    connections,
    warmMs: WARM_MS,
    measureMs: options.seconds * 1000,
    expected: Math.ceil((known.at(-1)?.rps ?? 1500) * seconds * 1.2) + connections,
  };
  try {
    const before = processorTime(target);
    const result = await client.ask<LoadFigures>(order);
    const cpuUs = ((processorTime(target) - before) * 1000) / result.answered;
    figures.get(target)?.set(connections, [...known, { ...result, cpuUs }]);
  } catch (fault) {
    faults.set(target, sentenceOf(fault));
  }
}

function sentenceOf(fault: unknown): string {
  return fault instanceof Error ? (fault.message.split('\n')[0] ?? '') : String(fault);
}

function processorTime({ pids }: Target): number {
  return pids.map((pid) => processorMs(pid) ?? 0).reduce((sum, one) => sum + one, 0);
}

function rowOf(target: Target): Row {
  const { note, ...labels } = target.labels;
  const fault = faults.get(target);
  if (fault !== undefined) return { ...labels, skipped: `it broke off: ${fault}`, note };
  const base = stage.targets.find(
    ({ labels: { name }, scheme }) => name === 'direct' && scheme === target.scheme,
  );
  const own = (connections: number) => figures.get(target)?.get(connections) ?? [];
  const added = (member: 'p50Ms' | 'p99Ms') =>
    median(
      own(1).map((one, round) => one[member] - ((base && figures.get(base)?.get(1)?.[round]?.[member]) ?? 0)),
    );
  const rps = (connections: number) => Math.round(median(own(connections).map((one) => one.rps)));
  const memory = target.pids.map((pid) => residentMiB(pid) ?? 0).reduce((sum, one) => sum + one, 0);
  return {
    ...labels,
    p50Ms: rounded(median(own(1).map((one) => one.p50Ms)), 3),
    addedP50Ms: rounded(added('p50Ms'), 3),
    addedP99Ms: rounded(added('p99Ms'), 3),
    rps1: rps(1),
    rps16: rps(16),
    rps64: rps(64),
    p99Ms16: rounded(median(own(16).map((one) => one.p99Ms)), 2),
    cpuUs16: target.pids.length === 0 ? null : Math.round(median(own(16).map((one) => one.cpuUs))),
    rssMiB: target.pids.length === 0 ? null : Math.round(memory),
    note,
  };
}
