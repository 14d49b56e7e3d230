import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support.ts';

const SOURCE = new URL('../../../src/', import.meta.url).href;
const KILLS = 20;

/** Raises alerts and reports each when it is durable, while the outbox delivers into a file. */
const CHILD = `
  import { generateKeyPairSync } from 'node:crypto';
  import { writeSync } from 'node:fs';
  const [source, folder, raising] = process.argv.slice(1);
  const { openAuditLog } = await import(source + 'audit/index.ts');
  const { openStorage } = await import(source + 'storage/index.ts');
  const { Outbox, raise } = await import(source + 'alerts/index.ts');
  const clock = { now: () => Date.now() };
  const log = await openAuditLog({ directory: folder + '/audit', durability: 'process', node: 'node-1', clock,
    checkpointKey: generateKeyPairSync('ed25519').privateKey });
  const storage = await openStorage({ kind: 'sqlite', file: folder + '/sallyport.db', durability: 'process' });
  await storage.sinks.insert({ tenant: 'default', id: 'sink_1', name: 'file', kind: 'file',
    options: { file: 'alerts.jsonl' }, sealedSecret: null, minSeverity: 'low', status: 'active', createdAt: 1 });
  const outbox = new Outbox({ log, outboxStore: storage.outbox, sinkStore: storage.sinks, clock,
    open: () => { throw new Error('no secrets here'); },
    tools: { send: () => { throw new Error('no network here'); }, directory: folder + '/alerts', timeoutMs: 1000 } });
  await outbox.start();
  const finding = { check: 'decoy.used', title: 'A decoy was used', severity: 'high', score: 1, evidence: '', references: [] };
  for (let number = 0; raising === 'yes'; number++) {
    const event = raise({ call: null, actor: null, effect: 'deny', now: Date.now(), tenant: 'default',
      findings: [{ ...finding, evidence: process.pid + '/' + number }] });
    await log.append(event);
    writeSync(1, event.data.alertId + '\\n');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while ((await outbox.lag()).records > 0 || (await outbox.deliveries({ status: 'pending', limit: 1 })).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await outbox.close();
  await log.close();
  await storage.close();
`;

test(`a process killed ${KILLS} times while it raises and delivers loses no acknowledged alert`, async () => {
  const folder = temporaryFolder();
  const run = (raising: 'yes' | 'no') =>
    spawn(process.execPath, ['--input-type=module', '-e', CHILD, SOURCE, folder, raising], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const acknowledged = new Set<string>();
  for (let kill = 1; kill <= KILLS; kill++) {
    const child = run('yes');
    const ended = once(child, 'exit');
    let heard = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A line that the kill cut short acknowledges nothing.
      if (line.length === 'alert_'.length + 26) acknowledged.add(line);
      heard += 1;
    });
    await expect.poll(() => heard, { timeout: 20_000, interval: 5 }).toBeGreaterThan(2);
    await sleep(Math.random() * 60);
    child.kill('SIGKILL');
    await ended;
  }
  const last = run('no');
  expect(await once(last, 'exit')).toEqual([0, null]);
  const delivered = readFileSync(join(folder, 'alerts/alerts.jsonl'), 'utf8')
    .split('\n')
    .flatMap((line) => /"alertId":"([^"]+)"/.exec(line)?.[1] ?? []);
  expect(acknowledged.size).toBeGreaterThan(KILLS * 2);
  expect([...acknowledged].filter((id) => !delivered.includes(id))).toEqual([]);
});
