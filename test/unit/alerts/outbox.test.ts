import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { type AlertEvent, Outbox, raise, type Send, Sinks } from '../../../src/alerts/index.ts';
import type { AuditLog } from '../../../src/audit/index.ts';
import type { AuditEventType, Severity } from '../../../src/core/index.ts';
import { openStorage, type Storage } from '../../../src/storage/index.ts';
import { actor, call, finding, openLog, sealer, send, startReceiver, temporaryFolder } from './support.ts';

/** A clock that tests push forward, so that hours of retries pass at once. */
class TestClock {
  #ahead = 0;
  now(): number {
    return Date.now() + this.#ahead;
  }
  advance(ms: number): void {
    this.#ahead += ms;
  }
}

interface Bench {
  readonly log: AuditLog;
  readonly storage: Storage;
  readonly sinks: Sinks;
  readonly clock: TestClock;
  readonly directory: string;
  readonly faults: unknown[];
  startOutbox(): Promise<Outbox>;
  addWebhook(url: string, name?: string, minSeverity?: Severity): Promise<{ id: string; secret: string }>;
}

async function openBench(o: { readonly send?: Send } = {}): Promise<Bench> {
  const folder = temporaryFolder();
  const storage = await openStorage({
    kind: 'sqlite',
    file: join(folder, 'sallyport.db'),
    durability: 'process',
  });
  onTestFinished(() => storage.close());
  const log = await openLog(join(folder, 'audit'));
  const clock = new TestClock();
  const directory = join(folder, 'alerts');
  const tools = { send: o.send ?? send, directory, timeoutMs: 1000 };
  const sinks = new Sinks({
    store: storage.sinks,
    sealer,
    tools,
    audit: (event) => log.append(event),
    clock,
  });
  const faults: unknown[] = [];
  return {
    log,
    storage,
    sinks,
    clock,
    directory,
    faults,
    async startOutbox(this: Bench) {
      const outbox = new Outbox({
        log: this.log,
        outboxStore: storage.outbox,
        sinkStore: storage.sinks,
        open: sealer.open,
        tools,
        clock,
        onFault: (fault) => faults.push(fault),
        random: () => 0,
        idleMs: 20,
      });
      await outbox.start();
      onTestFinished(() => outbox.close());
      return outbox;
    },
    async addWebhook(url, name = 'soc', minSeverity = 'low') {
      const sink = {
        tenant: 'default',
        name,
        kind: 'webhook',
        options: { url, allowPrivate: true },
        minSeverity,
      };
      const { sink: added, secret } = await sinks.put(sink, 'admin');
      return { id: added.id, secret: secret?.use((bytes) => Buffer.from(bytes).toString()) ?? '' };
    },
  };
}

let alerts = 0;
function alert(o: { severity?: Severity; tenant?: string; at?: number } = {}): AlertEvent {
  alerts += 1;
  const event = raise({
    call: { ...call, id: `call_${alerts}` },
    actor,
    findings: [finding({ severity: o.severity ?? 'critical' })],
    effect: 'deny',
    now: o.at ?? Date.now(),
    tenant: o.tenant ?? 'default',
  });
  if (event === null) throw new Error('no alert');
  return event;
}

async function statusesOf({ storage }: Bench): Promise<string[]> {
  const all = await storage.outbox.list('node-1', { limit: 1000 });
  return all.map(({ status }) => status);
}

async function eventsOf(log: AuditLog, type: AuditEventType): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { event } of log.read({ afterSequence: 0, types: [type] })) found.push(event.data);
  return found;
}

test('an alert in the log reaches every sink that wants it, signed, with the place of its record', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  const { secret } = await bench.addWebhook(receiver.url);
  await bench.sinks.put(
    { tenant: 'default', name: 'file', kind: 'file', options: { file: 'a.jsonl' }, minSeverity: 'high' },
    'admin',
  );
  const outbox = await bench.startOutbox();
  const event = alert();
  const receipt = await bench.log.append(event);
  await bench.log.append(alert({ severity: 'medium' }));
  await bench.log.append(alert({ tenant: 'other' }));
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered', 'delivered', 'delivered']);

  const got = receiver.received.find(({ headers }) => headers['webhook-id'] === event.data.alertId);
  const { alertId, ...data } = event.data;
  expect(new Webhook(secret).verify(got?.body ?? '', got?.headers ?? {})).toEqual({
    type: 'alert.raised',
    timestamp: new Date(event.at).toISOString(),
    data: {
      ...data,
      alertId,
      tenant: 'default',
      record: { node: 'node-1', sequence: receipt.sequence, hash: receipt.hash },
    },
  });
  expect(receiver.received.length).toBe(2);
  const lines = readFileSync(join(bench.directory, 'a.jsonl'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).data.alertId)).toEqual([alertId]);
  expect(await outbox.lag()).toEqual({ records: 0, overdueMs: 0 });
  expect(bench.faults).toEqual([]);
});

test('what failed is tried again with the same id, at growing times', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = (number) => ({ status: number < 3 ? 503 : 200 });
  await bench.addWebhook(receiver.url);
  await bench.startOutbox();
  await bench.log.append(alert());
  for (const [attempts, pauseMs] of [
    [1, 5_000],
    [2, 15_000],
    [3, 45_000],
  ] as const) {
    await expect
      .poll(async () => (await bench.storage.outbox.list('node-1', { limit: 1 }))[0]?.attempts)
      .toBe(attempts);
    const [delivery] = await bench.storage.outbox.list('node-1', { limit: 1 });
    expect(delivery).toMatchObject({ status: 'pending', lastError: 'the receiver answered 503' });
    expect((delivery?.nextAttemptAt ?? 0) - bench.clock.now()).toBeGreaterThan(pauseMs - 3000);
    bench.clock.advance(pauseMs);
  }
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered']);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
});

test('Retry-After is respected', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = () => ({ status: 429, retryAfter: 7200 });
  await bench.addWebhook(receiver.url);
  await bench.startOutbox();
  await bench.log.append(alert());
  await expect
    .poll(async () => (await bench.storage.outbox.list('node-1', { limit: 1 }))[0]?.attempts)
    .toBe(1);
  const [delivery] = await bench.storage.outbox.list('node-1', { limit: 1 });
  expect((delivery?.nextAttemptAt ?? 0) - bench.clock.now()).toBeGreaterThan(7_190_000);
});

test('410 disables the sink and ends what waits for it, and the log says so', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = () => ({ status: 410 });
  const { id } = await bench.addWebhook(receiver.url);
  for (let number = 0; number < 6; number++) await bench.log.append(alert());
  const outbox = await bench.startOutbox();
  await expect.poll(() => statusesOf(bench)).toEqual(Array(6).fill('abandoned'));
  // Those that were under way side by side; the others were not tried any more.
  const tried = receiver.received.length;
  expect(tried).toBeLessThanOrEqual(4);
  expect((await bench.sinks.get('default', id)).status).toBe('disabled');
  expect(await eventsOf(bench.log, 'sink.disabled')).toMatchObject([{ id, by: 'outbox' }]);
  await bench.log.append(alert());
  await bench.log.append(alert());
  await expect.poll(async () => (await outbox.lag()).records).toBe(0);
  expect(receiver.received.length).toBe(tried);
});

test('after the last attempt the alert is abandoned, and the log says so', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = () => ({ status: 500 });
  const { id } = await bench.addWebhook(receiver.url);
  const event = alert();
  const { sequence } = await bench.log.append(event);
  const delivery = {
    sinkId: id,
    sequence,
    alertId: event.data.alertId,
    status: 'pending',
    lastError: null,
  } as const;
  await bench.storage.outbox.project('node-1', [{ ...delivery, attempts: 29, nextAttemptAt: 0 }], sequence);
  await bench.startOutbox();
  await expect.poll(() => statusesOf(bench)).toEqual(['abandoned']);
  expect(await eventsOf(bench.log, 'alert.abandoned')).toEqual([
    { alertId: event.data.alertId, sinkId: id, attempts: 30, reason: 'the receiver answered 500' },
  ]);
});

test('an alert for a sink that was deleted meanwhile is abandoned', async () => {
  const bench = await openBench();
  const { id } = await bench.addWebhook('http://127.0.0.1:9/');
  const event = alert();
  const { sequence } = await bench.log.append(event);
  const delivery = {
    sinkId: id,
    sequence,
    alertId: event.data.alertId,
    status: 'pending',
    lastError: null,
  } as const;
  await bench.storage.outbox.project('node-1', [{ ...delivery, attempts: 0, nextAttemptAt: 0 }], sequence);
  await bench.sinks.delete('default', id, 'admin');
  await bench.startOutbox();
  await expect.poll(() => statusesOf(bench)).toEqual(['abandoned']);
  expect(await eventsOf(bench.log, 'alert.abandoned')).toMatchObject([{ reason: 'the sink was deleted' }]);
});

test('after a restart it goes on: nothing is lost, and what was delivered is not sent again', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  await bench.addWebhook(receiver.url);
  const first = await bench.startOutbox();
  await bench.log.append(alert());
  await expect.poll(() => receiver.received.length).toBe(1);
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered']);
  await first.close();
  // Nobody delivers while these are raised.
  await bench.log.append(alert());
  await bench.log.append(alert());
  await bench.startOutbox();
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered', 'delivered', 'delivered']);
  expect(receiver.received.length).toBe(3);
});

test('an attempt that the end of the process cut is made again, with the same id', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = () => 'hang';
  await bench.addWebhook(receiver.url);
  const first = await bench.startOutbox();
  await bench.log.append(alert());
  await expect.poll(() => receiver.received.length).toBe(1);
  const closed = first.close();
  receiver.answer = () => ({ status: 200 });
  await closed;
  bench.clock.advance(60_000);
  await bench.startOutbox();
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered']);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

test('a dead sink holds back no other, however much waits for it', async () => {
  const bench = await openBench();
  const dead = await startReceiver();
  dead.answer = () => 'hang';
  const healthy = await startReceiver();
  await bench.addWebhook(dead.url, 'dead');
  await bench.addWebhook(healthy.url, 'healthy');
  const events = Array.from({ length: 300 }, () => alert());
  await Promise.all(events.map((event) => bench.log.append(event)));
  await bench.startOutbox();
  await expect.poll(() => healthy.received.length, { timeout: 20_000 }).toBe(300);
  const delivered = await bench.storage.outbox.list('node-1', { status: 'delivered', limit: 1000 });
  expect(delivered.length).toBeGreaterThan(290);
  // What a dead sink costs: a few attempts side by side, not one for each alert that waits.
  expect(dead.received.length).toBeLessThan(100);
});

test('a fault of the database stops nothing for good, and loses nothing', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  await bench.addWebhook(receiver.url);
  const { outbox: store } = bench.storage;
  let failures = 1;
  const flaky = new Proxy(store, {
    get: (target, name: keyof typeof store) =>
      name === 'record' && failures-- > 0 ? () => Promise.reject(new Error('disk full')) : target[name],
  });
  const faults: unknown[] = [];
  const tools = { send, directory: bench.directory, timeoutMs: 1000 };
  const outbox = new Outbox({
    log: bench.log,
    outboxStore: flaky,
    sinkStore: bench.storage.sinks,
    open: sealer.open,
    tools,
    clock: bench.clock,
    onFault: (fault) => faults.push(fault),
    idleMs: 20,
  });
  await outbox.start();
  await bench.log.append(alert());
  await expect.poll(() => faults.length).toBe(1);
  bench.clock.advance(6000);
  await bench.log.append(alert());
  await expect.poll(() => statusesOf(bench), { timeout: 10_000 }).toEqual(['delivered', 'delivered']);
  // At least once: the first was received before its outcome could be kept.
  expect(receiver.received.length).toBe(3);
  await outbox.close();
});

test('starting it twice is a programmer’s mistake', async () => {
  const outbox = await (await openBench()).startOutbox();
  await expect(outbox.start()).rejects.toThrow(TypeError);
});

test('a log that was begun anew is delivered from its beginning, and what is lost with the old one is told', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = (number) => ({ status: number < 3 ? 204 : 500 });
  await bench.addWebhook(receiver.url);
  const first = await bench.startOutbox();
  for (let count = 0; count < 3; count++) await bench.log.append(alert());
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered', 'delivered', 'delivered']);
  await bench.log.append(alert());
  await expect.poll(() => receiver.received.length).toBe(4);
  await first.close();

  // As our own error message advises for a log that is broken: its folder is moved away.
  const log = await openLog(join(temporaryFolder(), 'audit'));
  receiver.answer = () => ({ status: 204 });
  const anew = { ...bench, log };
  const outbox = await anew.startOutbox();
  const fresh = alert();
  await log.append(fresh);
  await expect
    .poll(() => receiver.received.map(({ headers }) => headers['webhook-id']))
    .toContain(fresh.data.alertId);
  expect(await eventsOf(log, 'alert.abandoned')).toMatchObject([
    { reason: expect.stringContaining('begun anew') },
  ]);
  expect(String(bench.faults.at(-1))).toMatch(/begun anew or rolled back/);
  await outbox.close();
});

test('a clock that is set back does not put deliveries off until it has caught up', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = (number) => ({ status: number === 0 ? 500 : 204 });
  await bench.addWebhook(receiver.url);
  bench.clock.advance(48 * 60 * 60_000);
  await bench.startOutbox();
  await bench.log.append(alert({ at: bench.clock.now() }));
  await expect.poll(() => receiver.received.length).toBe(1);
  await expect.poll(() => bench.storage.outbox.nextDueAt('node-1')).toBeGreaterThan(bench.clock.now());
  bench.clock.advance(-48 * 60 * 60_000);
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered']);
});

test('what was put off by a clock that ran ahead is tried at the next start', async () => {
  const bench = await openBench();
  const receiver = await startReceiver();
  receiver.answer = () => ({ status: 500 });
  await bench.addWebhook(receiver.url);
  bench.clock.advance(48 * 60 * 60_000);
  const first = await bench.startOutbox();
  await bench.log.append(alert({ at: bench.clock.now() }));
  await expect.poll(() => receiver.received.length).toBe(1);
  await first.close();
  bench.clock.advance(-48 * 60 * 60_000);
  receiver.answer = () => ({ status: 204 });
  await bench.startOutbox();
  await expect.poll(() => statusesOf(bench)).toEqual(['delivered']);
});
