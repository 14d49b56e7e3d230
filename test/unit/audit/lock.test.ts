import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../../src/audit/lock.ts';
import { eventNumber, openLog, temporaryFolder } from './support.ts';

test('of many that find a dead owner’s lock at once, one gets it', async () => {
  const directory = temporaryFolder();
  const first = await takeLock(directory, () => {});
  const content = readFileSync(join(directory, 'lock'), 'utf8');
  await first.release();
  writeFileSync(join(directory, 'lock'), content.replace(/"start":"\d+"/, '"start":"1"'));
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(directory, () => {})));
  const taken = results.filter((result) => result.status === 'fulfilled');
  expect(taken.length).toBe(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(String(result.reason)).toMatch(/in use by/);
  }
  for (const { value } of taken) await value.release();
  expect(readdirSync(directory)).toEqual([]);
});

test('the lock of a killed process is taken over, that of a living one is not', async () => {
  const directory = temporaryFolder();
  const script = `
    const { takeLock } = await import(${JSON.stringify(new URL('../../../src/audit/lock.ts', import.meta.url).href)});
    await takeLock(${JSON.stringify(directory)}, () => {});
    process.stdout.write('taken');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect(takeLock(directory, () => {})).rejects.toThrow(`in use by process ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = await takeLock(directory, () => {});
  await lock.release();
});

test.each([
  ['of another container', JSON.stringify({ pid: 1, start: '7', place: 'boot/pid:[1]' })],
  ['that says nothing', ''],
])(
  'a lock %s is taken over when nobody touches it, and respected while somebody does',
  async (_, content) => {
    const directory = temporaryFolder();
    const file = join(directory, 'lock');
    writeFileSync(file, content);
    const beating = setInterval(() => utimesSync(file, new Date(), new Date()), 300);
    await expect(takeLock(directory, () => {})).rejects.toThrow(/in use/);
    clearInterval(beating);
    await (await takeLock(directory, () => {})).release();
  },
);

test('a log whose lock was taken away stops, so that no two processes write', async () => {
  const directory = temporaryFolder();
  const log = await openLog(directory);
  await log.append(eventNumber(1));
  writeFileSync(join(directory, 'lock'), 'somebody else');
  await expect
    .poll(
      () =>
        log.append(eventNumber(2)).then(
          () => 'taken',
          ({ code }) => code,
        ),
      { timeout: 5000 },
    )
    .toBe('audit_unavailable');
  await log.close();
  expect(readFileSync(join(directory, 'lock'), 'utf8')).toBe('somebody else');
});
