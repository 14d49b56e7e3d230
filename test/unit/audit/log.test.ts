import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  AuditFault,
  type AuditRecord,
  isReceipt,
  readAuditDirectory,
  verifyAuditLog,
} from '../../../src/audit/index.ts';
import { endOfTurn, LIMITS, Refusal } from '../../../src/core/index.ts';
import { FailingFiles } from './failing-files.ts';
import { collect, eventNumber, openLog, publicKey, temporaryFolder, writeLog } from './support.ts';

const ROOM = new URL('../../../src/audit/index.ts', import.meta.url).href;

async function readAll(directory: string): Promise<AuditRecord[]> {
  return await collect(readAuditDirectory(directory));
}

function refusalCode(reason: unknown): string {
  return reason instanceof Refusal ? reason.code : `not a refusal: ${reason}`;
}

describe('appending', () => {
  test('gives receipts in order, each with the hash that stands in the log', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory);
    const receipts = await Promise.all([1, 2, 3].map((number) => log.append(eventNumber(number))));
    expect(receipts.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(log.lastSequence).toBe(3);
    const records = await readAll(directory);
    expect(records.map(({ hash }) => hash)).toEqual(receipts.map(({ hash }) => hash));
    expect(records.map(({ previous }) => previous)).toEqual([
      '0'.repeat(64),
      records[0]?.hash,
      records[1]?.hash,
    ]);
    expect(records.map(({ event }) => event)).toEqual([1, 2, 3].map((number) => eventNumber(number)));
  });

  test('gives receipts that nothing else passes for', async () => {
    const log = await openLog(temporaryFolder());
    const receipt = await log.append(eventNumber(1));
    expect(isReceipt(receipt)).toBe(true);
    expect(isReceipt({ ...receipt })).toBe(false);
    expect(isReceipt(Object.assign(Object.create(Object.getPrototypeOf(receipt)), receipt))).toBe(false);
    expect(isReceipt(null)).toBe(false);
  });

  test.each(['power', 'process'] as const)('%s: what was acknowledged is in the file', async (durability) => {
    const directory = temporaryFolder();
    const log = await openLog(directory, { durability });
    await log.append(eventNumber(1));
    expect(readFileSync(join(directory, '0000000000000001.jsonl'), 'utf8')).toMatch(/agent-1.*\n$/);
  });

  test('what arrives while the disk is busy goes out in one write and one sync', async () => {
    const files = new FailingFiles();
    const log = await openLog(temporaryFolder(), { files });
    const first = log.append(eventNumber(1));
    await endOfTurn();
    const rest = Array.from({ length: 500 }, (_, index) => log.append(eventNumber(index + 2)));
    await Promise.all([first, ...rest]);
    expect(files.counts.write).toBe(2);
    expect(files.counts.sync).toBe(2);
  });

  test('what arrives on many connections in one turn of the event loop goes out in one write', async () => {
    const files = new FailingFiles();
    const log = await openLog(temporaryFolder(), { files, durability: 'process' });
    const perConnection = Array.from({ length: 20 }, (_, index) =>
      new Promise<void>((resolve) => setTimeout(resolve, 1)).then(() => log.append(eventNumber(index + 1))),
    );
    await Promise.all(perConnection);
    expect(files.counts.write).toBeLessThan(5);
  });

  test('a process-safe log does not wait for the disk', async () => {
    const files = new FailingFiles();
    const log = await openLog(temporaryFolder(), { files, durability: 'process' });
    await log.append(eventNumber(1));
    expect(files.counts).toMatchObject({ write: 1, sync: 0 });
  });

  test('a new file is begun at the size that is set, its name made durable, and nothing is lost between', async () => {
    const directory = temporaryFolder();
    const files = new FailingFiles();
    await writeLog(directory, 50, { segmentBytes: 2000, files });
    const segments = readdirSync(directory).filter((name) => /^\d+\.jsonl$/.test(name));
    expect(segments.length).toBeGreaterThan(5);
    expect(files.counts.syncDirectory).toBeGreaterThanOrEqual(segments.length);
    expect((await readAll(directory)).length).toBe(50);
    for (const name of segments) {
      expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(2000);
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('too many waiting records are refused, and the others are kept', async () => {
    const log = await openLog(temporaryFolder());
    const appended = Array.from({ length: LIMITS.auditQueue + 10 }, (_, index) =>
      log.append(eventNumber(index)),
    );
    const results = await Promise.allSettled(appended);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBe(10);
    expect(refused.map(({ reason }) => refusalCode(reason))).toEqual(Array(10).fill('overloaded'));
    expect(log.lastSequence).toBe(LIMITS.auditQueue);
    expect((await log.append(eventNumber(1))).sequence).toBe(LIMITS.auditQueue + 1);
  });

  test('a record that is too long is refused and leaves no gap', async () => {
    const log = await openLog(temporaryFolder());
    const long = log.append(eventNumber(1, 'x'.repeat(LIMITS.auditRecordBytes)));
    await expect(long).rejects.toMatchObject({ code: 'audit_unavailable' });
    expect((await log.append(eventNumber(2))).sequence).toBe(1);
  });

  test('an event that JSON can’t carry is refused and leaves no gap', async () => {
    const log = await openLog(temporaryFolder());
    await expect(log.append({ ...eventNumber(1), at: Number.NaN })).rejects.toThrow(TypeError);
    expect((await log.append(eventNumber(2))).sequence).toBe(1);
  });

  test('a closed log refuses', async () => {
    const log = await openLog(temporaryFolder());
    await log.close();
    await expect(log.append(eventNumber(1))).rejects.toMatchObject({ code: 'audit_unavailable' });
  });

  test('closing waits for what was appended', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory);
    const appended = [1, 2, 3].map((number) => log.append(eventNumber(number)));
    await log.close();
    expect((await Promise.all(appended)).length).toBe(3);
    expect((await readAll(directory)).length).toBe(3);
  });
});

describe('when the disk fails', () => {
  test.each([
    ['write', 'ENOSPC', 0],
    ['write', 'ENOSPC', 100],
    ['write', 'EIO', 300],
    ['sync', 'EIO', 0],
  ] as const)(
    '%s with %s after %d bytes: nothing is acknowledged, everything is refused until it is opened again',
    async (step, code, bytes) => {
      const directory = temporaryFolder();
      const files = new FailingFiles();
      const log = await openLog(directory, { files });
      const before = await log.append(eventNumber(1));
      files.failNext(step, code, bytes);
      const group = [2, 3, 4].map((number) => log.append(eventNumber(number)));
      for (const result of await Promise.allSettled(group)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'audit_unavailable' } });
        if (result.status === 'rejected') expect(result.reason.internal).toContain(code);
      }
      const syncs = files.counts.sync;
      // The disk works again, but only reading anew could tell what is on it.
      await expect(log.append(eventNumber(5))).rejects.toMatchObject({ code: 'audit_unavailable' });
      await expect(log.checkpoint()).rejects.toMatchObject({ code: 'audit_unavailable' });
      expect(files.counts.sync).toBe(syncs);
      expect(log.lastSequence).toBe(1);
      await log.close();

      const again = await openLog(directory);
      const after = await again.append(eventNumber(6));
      const records = await readAll(directory);
      expect(records[0]?.hash).toBe(before.hash);
      expect(records.at(-1)?.hash).toBe(after.hash);
      await again.close();
      expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({ ok: true });
    },
  );

  test.each(['writeWhole', 'syncDirectory'] as const)(
    '%s while a new file is begun: refused, and whole after opening again',
    async (step) => {
      const directory = temporaryFolder();
      const files = new FailingFiles();
      const log = await openLog(directory, { files, segmentBytes: 400 });
      await log.append(eventNumber(1));
      files.failNext(step, 'ENOSPC');
      await expect(log.append(eventNumber(2))).rejects.toMatchObject({ code: 'audit_unavailable' });
      await log.close();
      await writeLog(directory, 2);
      expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({ ok: true, records: 3 });
    },
  );

  test('a checkpoint that can’t be written stops the log, and is cut off when it is opened again', async () => {
    const directory = temporaryFolder();
    const files = new FailingFiles();
    const log = await openLog(directory, { files });
    await log.append(eventNumber(1));
    files.failNext('write', 'ENOSPC', 50);
    await expect(log.checkpoint()).rejects.toMatchObject({ code: 'audit_unavailable' });
    await expect(log.append(eventNumber(2))).rejects.toMatchObject({ code: 'audit_unavailable' });
    await log.close();
    await writeLog(directory, 1);
    const report = await verifyAuditLog({ directory, publicKey });
    expect(report).toMatchObject({ ok: true, records: 2, checkpointsVerified: 1 });
  });

  test('a failing sync in the background of a process-safe log stops it as well', async () => {
    const files = new FailingFiles();
    const log = await openLog(temporaryFolder(), { files, durability: 'process' });
    await log.append(eventNumber(1));
    files.failNext('sync', 'EIO');
    await expect
      .poll(() => log.append(eventNumber(2)).then(() => 'taken', refusalCode), { timeout: 5000 })
      .toBe('audit_unavailable');
  });
});

describe('opening', () => {
  test('goes on where the log ended', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 30, { segmentBytes: 2000 });
    await writeLog(directory, 30, { segmentBytes: 2000 });
    expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({ ok: true, records: 60 });
  });

  test('without its files of peaks reads the whole log, and signs the same tree', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 30, { segmentBytes: 2000 });
    for (const name of readdirSync(directory)) {
      if (name.endsWith('.peaks')) rmSync(join(directory, name));
    }
    await writeLog(directory, 1);
    expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({
      ok: true,
      records: 31,
      checkpointsVerified: 2,
    });
  });

  test('is refused while another log of this process has it, and allowed after that was closed', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory);
    await expect(openLog(directory)).rejects.toThrow(/in use by process \d+; stop the other Sallyport first/);
    await log.close();
    await (await openLog(directory)).close();
  });

  test('is refused for a log of another node', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    await expect(openLog(directory, { node: 'node-2' })).rejects.toThrow(/log of node node-1.*node\.name/);
  });

  test('in a place that can’t be written says so', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(openLog(join(folder, 'file', 'audit'))).rejects.toThrow(AuditFault);
    await expect(openLog(join(folder, 'file', 'audit'))).rejects.toThrow(/can not be written here.*ENOTDIR/);
  });

  test('in a read-only folder says so', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const directory = join(folder, 'audit');
    mkdirSync(directory, { mode: 0o555 });
    // Permissions do not bind the superuser, so the attempt is made by a process that is none.
    const script = `
      const { openAuditLog } = await import(${JSON.stringify(ROOM)});
      const { generateKeyPairSync } = await import('node:crypto');
      if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
      const checkpointKey = generateKeyPairSync('ed25519').privateKey;
      await openAuditLog({ directory: process.argv[1], durability: 'power', node: 'n', clock: Date, checkpointKey })
        .then(() => console.log('opened'), (fault) => console.log(fault.name + ': ' + fault.message));`;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, directory]);
    expect(stdout).toMatch(/^AuditFault: .*\/audit: the audit log can not be written here: EACCES/);
  });

  test('a broken record in the middle names file and line, and the log stays as it is', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 5);
    const file = join(directory, '0000000000000001.jsonl');
    const broken = readFileSync(file, 'utf8').replace('agent-3', 'agent-9');
    writeFileSync(file, broken);
    await expect(openLog(directory)).rejects.toThrow(`${file}:3: the hash does not match the content`);
    expect(readFileSync(file, 'utf8')).toBe(broken);
    expect(existsSync(join(directory, 'lock'))).toBe(false);
  });

  test('an end that a checkpoint knows better is refused', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 5);
    const file = join(directory, '0000000000000001.jsonl');
    writeFileSync(file, `${readFileSync(file, 'utf8').split('\n').slice(0, 3).join('\n')}\n`);
    await expect(openLog(directory)).rejects.toThrow(/vouches for 5 records and the log holds 3/);
  });
});

describe('reading', () => {
  test('begins behind any record, in any file', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory, { segmentBytes: 2000 });
    for (let number = 1; number <= 20; number++) await log.append(eventNumber(number));
    for (const afterSequence of [0, 1, 7, 19, 20, 25]) {
      const records = await collect(log.read({ afterSequence }));
      expect(records.map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: Math.max(0, 20 - afterSequence) }, (_, index) => afterSequence + index + 1),
      );
    }
  });

  test('following gives each record once, as it becomes durable, also across files', async () => {
    const log = await openLog(temporaryFolder(), { segmentBytes: 1000 });
    await log.append(eventNumber(1));
    const end = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { sequence } of log.read({ afterSequence: 0, follow: true, signal: end.signal })) {
        seen.push(sequence);
      }
    })();
    for (let number = 2; number <= 60; number++) {
      await log.append(eventNumber(number));
      if (number % 20 === 0) await expect.poll(() => seen.length).toBe(number);
    }
    end.abort();
    await following;
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test('following by type passes the others over, and tells how far it came', async () => {
    const log = await openLog(temporaryFolder());
    const end = new AbortController();
    const seen: number[] = [];
    let caughtUp = 0;
    const following = (async () => {
      const records = log.read({
        afterSequence: 0,
        follow: true,
        signal: end.signal,
        types: ['audit.recovered'],
        onCaughtUp: (sequence) => {
          caughtUp = sequence;
        },
      });
      for await (const { sequence } of records) seen.push(sequence);
    })();
    // The first one's text looks like the type that is wanted.
    await log.append(eventNumber(1, '"type":"audit.recovered"},"hash":"'));
    await log.append({ type: 'audit.recovered', tenant: '*', at: 1, data: { droppedBytes: 1 } });
    await expect.poll(() => caughtUp).toBe(2);
    expect(seen).toEqual([2]);
    await Promise.all([3, 4].map((number) => log.append(eventNumber(number))));
    expect(caughtUp).toBe(4);
    end.abort();
    await following;
  });

  test('a follower ends when the log is closed, and hears of it when the log fails', async () => {
    const files = new FailingFiles();
    const log = await openLog(temporaryFolder(), { files });
    const follow = async () => {
      for await (const _ of log.read({ afterSequence: 0, follow: true })) void _;
    };
    const failing = follow();
    files.failNext('write', 'EIO');
    await log.append(eventNumber(1)).catch(() => {});
    await expect(failing).rejects.toMatchObject({ code: 'audit_unavailable' });

    const healthy = await openLog(temporaryFolder());
    const following = (async () => {
      for await (const _ of healthy.read({ afterSequence: 0, follow: true })) void _;
    })();
    await healthy.close();
    await following;
  });
});

describe('checkpoints', () => {
  test('are written after so many records, on request, and when the log is closed', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory, { checkpointEveryRecords: 10 });
    for (let number = 1; number <= 25; number++) await log.append(eventNumber(number));
    expect((await log.checkpoint()).size).toBe(25);
    await log.append(eventNumber(26));
    await log.close();
    const report = await verifyAuditLog({ directory, publicKey });
    expect(report).toMatchObject({ ok: true, records: 26, checkpointsVerified: 4, hadPublicKey: true });
  });

  test('a log that did not grow gets no further one', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 3);
    await writeLog(directory, 0);
    expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({ checkpointsVerified: 1 });
  });

  test('may be asked for while records arrive, and vouch only for durable ones', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory);
    const work = Array.from({ length: 200 }, (_, number) =>
      number % 20 === 0 ? log.checkpoint() : log.append(eventNumber(number)),
    );
    await Promise.all(work);
    await log.close();
    expect(await verifyAuditLog({ directory, publicKey })).toMatchObject({ ok: true });
  });
});

test('a log can be verified while it is written to, at whatever moment', async () => {
  const directory = temporaryFolder();
  const log = await openLog(directory, {
    segmentBytes: 3000,
    checkpointEveryRecords: 3,
    durability: 'process',
  });
  let writing = true;
  const writer = (async () => {
    for (let number = 1; writing; number++) {
      await Promise.all([
        log.append(eventNumber(number)),
        log.append(eventNumber(number, 'x'.repeat(number % 900))),
      ]);
    }
  })();
  let records = 0;
  for (let round = 0; round < 20 || records < 300; round++) {
    const report = await verifyAuditLog({ directory, publicKey });
    expect(report).toMatchObject({ ok: true, firstBroken: null });
    expect(report.records).toBeGreaterThanOrEqual(records);
    records = report.records;
  }
  writing = false;
  await writer;
});
