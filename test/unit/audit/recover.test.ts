import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAuditDirectory, verifyAuditLog } from '../../../src/audit/index.ts';
import { collect, eventNumber, openLog, publicKey, temporaryFolder } from './support.ts';

const SEGMENT = '0000000000000001.jsonl';

/** What a log of three records looks like while the fourth and fifth are being written. */
async function bytesOfLog(): Promise<{ acknowledged: Buffer; group: Buffer }> {
  const directory = temporaryFolder();
  const log = await openLog(directory);
  for (let number = 1; number <= 3; number++) await log.append(eventNumber(number));
  const acknowledged = readFileSync(join(directory, SEGMENT));
  await Promise.all([log.append(eventNumber(4)), log.append(eventNumber(5))]);
  return { acknowledged, group: readFileSync(join(directory, SEGMENT)).subarray(acknowledged.length) };
}

test('a write torn at any byte is cut off and kept aside, and every acknowledged record stays', async () => {
  const { acknowledged, group } = await bytesOfLog();
  const folder = temporaryFolder();
  const firstLine = group.indexOf(10) + 1;
  for (let torn = 0; torn <= group.length; torn++) {
    const directory = join(folder, String(torn));
    mkdirSync(directory);
    writeFileSync(join(directory, SEGMENT), Buffer.concat([acknowledged, group.subarray(0, torn)]));

    // Before anybody repairs it, the verifier takes it for what it is: unfinished, not altered.
    const lost = torn < firstLine ? torn : torn - firstLine;
    const dropped = torn === group.length ? 0 : lost;
    const report = await verifyAuditLog({ directory });
    expect(report).toMatchObject({ ok: true, unfinishedBytes: dropped });

    const log = await openLog(directory, { durability: 'process' });
    await log.append(eventNumber(6));
    await log.close();
    const records = await collect(readAuditDirectory(directory));
    expect(records.slice(0, 3).map(({ event }) => event)).toEqual([1, 2, 3].map((n) => eventNumber(n)));
    const recovered = records.filter(({ event }) => event.type === 'audit.recovered');
    expect(recovered.map(({ event }) => event.data)).toEqual(
      dropped === 0 ? [] : [{ droppedBytes: dropped }],
    );
    const aside = readdirSync(directory).filter((name) => name.includes('.torn-'));
    expect(aside.map((name) => readFileSync(join(directory, name)).length)).toEqual(
      dropped === 0 ? [] : [dropped],
    );
    expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({ ok: true, unfinishedBytes: 0 });
  }
});

test('a last line that is not whole though it ends is cut off', async () => {
  const { acknowledged } = await bytesOfLog();
  const directory = temporaryFolder();
  writeFileSync(join(directory, SEGMENT), Buffer.concat([acknowledged, Buffer.from('{"event":{"at":17\n')]));
  const log = await openLog(directory);
  expect(log.lastSequence).toBe(4);
  expect((await collect(log.read({ afterSequence: 3 }))).map(({ event }) => event.type)).toEqual([
    'audit.recovered',
  ]);
});

test('pages that never reached the disk before a power cut read as zeros, and are cut off with what follows', async () => {
  const { acknowledged, group } = await bytesOfLog();
  const directory = temporaryFolder();
  const holed = Buffer.from(group);
  holed.fill(0, 20, 80);
  writeFileSync(join(directory, SEGMENT), Buffer.concat([acknowledged, holed]));
  const log = await openLog(directory);
  expect((await collect(log.read({ afterSequence: 0 }))).map(({ event }) => event.type)).toEqual([
    'passport.refused',
    'passport.refused',
    'passport.refused',
    'audit.recovered',
  ]);
});

test('each recovery keeps its own side file', async () => {
  const { acknowledged } = await bytesOfLog();
  const directory = temporaryFolder();
  writeFileSync(join(directory, SEGMENT), acknowledged);
  for (const torn of ['{"one', '{"two']) {
    appendFileSync(join(directory, SEGMENT), torn);
    await (await openLog(directory)).close();
  }
  expect(readFileSync(join(directory, `${SEGMENT}.torn-1`), 'utf8')).toBe('{"one');
  expect(readFileSync(join(directory, `${SEGMENT}.torn-2`), 'utf8')).toBe('{"two');
});

test('an unfinished checkpoint is cut off, and the next one is whole', async () => {
  const directory = temporaryFolder();
  const log = await openLog(directory);
  await log.append(eventNumber(1));
  await log.close();
  const file = join(directory, 'checkpoints.jsonl');
  const whole = readFileSync(file);
  for (let torn = 1; torn < whole.length; torn += 7) {
    writeFileSync(file, Buffer.concat([whole, whole.subarray(0, torn)]));
    expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({
      ok: true,
      checkpointsVerified: 1,
    });
    await (await openLog(directory)).close();
    expect(readFileSync(file)).toEqual(whole);
  }
});
