import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson, type VerifyReport, verifyAuditLog } from '../../src/audit/index.ts';
import { otherKey, publicKey, temporaryFolder, writeLog } from '../unit/audit/support.ts';

const RECORDS = 12;
/** A log of several files, as an attacker finds it. */
let original: string;
let segments: string[];

beforeAll(async () => {
  original = mkdtempSync(join(tmpdir(), 'sallyport-attack-'));
  await writeLog(original, RECORDS, { segmentBytes: 1500, checkpointEveryRecords: 5 });
  segments = readdirSync(original).filter((name) => /^\d+\.jsonl$/.test(name));
  expect(segments.length).toBeGreaterThan(2);
  return () => rmSync(original, { recursive: true, force: true });
});

/** The report on a copy of the log that an attacker has worked on. */
async function reportAfter(
  attack: (directory: string) => void,
  options: { readonly checkpoint?: string; readonly key?: boolean } = {},
): Promise<VerifyReport> {
  const directory = join(temporaryFolder(), 'audit');
  cpSync(original, directory, { recursive: true });
  attack(directory);
  return await verifyAuditLog({
    directory,
    ...(options.key === false ? {} : { publicKey }),
    ...(options.checkpoint === undefined ? {} : { checkpoint: options.checkpoint }),
  });
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

function editLines(file: string, edit: (lines: string[]) => string[]): void {
  const lines = edit(linesOf(file));
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
}

function segment(directory: string, index: number): string {
  return join(directory, segments.at(index) ?? '');
}

function lastNote(directory: string): string {
  return JSON.parse(linesOf(join(directory, 'checkpoints.jsonl')).at(-1) ?? '').note;
}

/** A forger who knows the format makes the chain whole again behind his change. */
function rechain(directory: string, from: string): void {
  let previous: string | null = null;
  for (const name of segments.filter((each) => each >= from)) {
    editLines(join(directory, name), (lines) =>
      lines.map((line) => {
        const { hash: _, ...rest } = JSON.parse(line);
        if (previous !== null) rest.previous = previous;
        const hash = createHash('sha256').update(canonicalJson(rest)).digest('hex');
        previous = hash;
        return canonicalJson({ ...rest, hash });
      }),
    );
  }
}

test('the log as its gate wrote it is whole', async () => {
  expect(await reportAfter(() => {})).toMatchObject({
    ok: true,
    records: RECORDS,
    firstBroken: null,
    checkpointsVerified: 3,
    hadExternalCheckpoint: false,
  });
});

describe('an attacker who can write to the log is named when he', () => {
  test('alters a record', async () => {
    const { firstBroken } = await reportAfter((directory) =>
      editLines(segment(directory, 1), ([first = '', ...rest]) => [
        first.replace('invalid_client', 'nothing'),
        ...rest,
      ]),
    );
    expect(firstBroken).toMatchObject({ line: 1, reason: 'the hash does not match the content' });
    expect(firstBroken?.file).toContain(segments[1]);
  });

  test('alters a record and computes its hash anew', async () => {
    const { firstBroken } = await reportAfter((directory) =>
      editLines(segment(directory, 0), ([first = '', ...rest]) => {
        const { hash: _, ...record } = JSON.parse(first);
        record.event.data.error = 'nothing';
        const hash = createHash('sha256').update(canonicalJson(record)).digest('hex');
        return [canonicalJson({ ...record, hash }), ...rest];
      }),
    );
    expect(firstBroken).toMatchObject({ sequence: 2, line: 2 });
    expect(firstBroken?.reason).toMatch(/does not follow record 1/);
  });

  test('rewrites everything behind his change: the checkpoints disagree', async () => {
    const { firstBroken } = await reportAfter((directory) => {
      editLines(segment(directory, 0), ([first = '', ...rest]) => [
        first.replace('invalid_client', 'nothing'),
        ...rest,
      ]);
      rechain(directory, segments[0] ?? '');
      for (const name of readdirSync(directory)) if (name.endsWith('.peaks')) rmSync(join(directory, name));
    });
    expect(firstBroken).toMatchObject({ sequence: 5 });
    expect(firstBroken?.reason).toMatch(/differs from its checkpoint over 5 records/);
  });

  test('rewrites everything and the checkpoints too, with his own key', async () => {
    const directory = join(temporaryFolder(), 'audit');
    await writeLog(directory, 3, { checkpointKey: otherKey() });
    const report = await verifyAuditLog({ directory, publicKey });
    expect(report.firstBroken?.reason).toBe('the checkpoint is not signed by the key given');
  });

  test('rewrites everything and throws the checkpoints away: one kept elsewhere disagrees', async () => {
    const note = lastNote(original);
    const forge = (directory: string) => {
      editLines(segment(directory, 0), ([first = '', ...rest]) => [
        first.replace('invalid_client', 'nothing'),
        ...rest,
      ]);
      rechain(directory, segments[0] ?? '');
      for (const name of readdirSync(directory)) {
        if (name.endsWith('.peaks') || name === 'checkpoints.jsonl') rmSync(join(directory, name));
      }
    };
    // What rule 14 says: without a checkpoint from elsewhere this can't be seen, and the report says so.
    expect(await reportAfter(forge)).toMatchObject({
      ok: true,
      checkpointsVerified: 0,
      hadExternalCheckpoint: false,
    });
    const report = await reportAfter(forge, { checkpoint: note });
    expect(report.hadExternalCheckpoint).toBe(true);
    expect(report.firstBroken).toMatchObject({ sequence: RECORDS });
    expect(report.firstBroken?.reason).toMatch(/differs from the checkpoint given/);
  });

  test('cuts a record out', async () => {
    const { firstBroken } = await reportAfter((directory) =>
      editLines(segment(directory, 1), (lines) => lines.toSpliced(1, 1)),
    );
    expect(firstBroken).toMatchObject({ line: 2 });
    expect(firstBroken?.reason).toMatch(/^record \d+ should stand here, and record \d+ does$/);
  });

  test('puts two records in another order', async () => {
    const { firstBroken } = await reportAfter((directory) =>
      editLines(segment(directory, 0), ([one = '', two = '', ...rest]) => [two, one, ...rest]),
    );
    expect(firstBroken).toMatchObject({
      sequence: 1,
      line: 1,
      reason: 'record 1 should stand here, and record 2 does',
    });
  });

  test('writes a record twice', async () => {
    const { firstBroken } = await reportAfter((directory) =>
      editLines(segment(directory, 0), ([one = '', ...rest]) => [one, one, ...rest]),
    );
    expect(firstBroken).toMatchObject({
      sequence: 2,
      line: 2,
      reason: 'record 2 should stand here, and record 1 does',
    });
  });

  test.each(['', ' ', '{}', '[]', 'null', '{"event":1}'])('puts the line "%s" in between', async (line) => {
    const { firstBroken } = await reportAfter((directory) =>
      editLines(segment(directory, 0), ([one = '', ...rest]) => [one, line, ...rest]),
    );
    expect(firstBroken).toMatchObject({ sequence: 2, line: 2 });
  });

  test('says the same in another spelling', async () => {
    for (const respell of [
      (line: string) => line.replace('{"at":', '{ "at":'),
      (line: string) => line.replace('"at":1750000000001', '"at":1750000000001.0'),
      (line: string) => line.replace('"agent-1"', '"\\u0061gent-1"'),
      (line: string) => line.replace('{"at":', '{"at":1,"at":'),
      (line: string) => `${line}\r`,
      (line: string) => `\ufeff${line}`,
    ]) {
      const { firstBroken } = await reportAfter((directory) =>
        editLines(segment(directory, 0), ([one = '', ...rest]) => [respell(one), ...rest]),
      );
      expect(firstBroken).toMatchObject({ sequence: 1, line: 1 });
    }
  });

  test('swaps two segments', async () => {
    const { firstBroken } = await reportAfter((directory) => {
      renameSync(segment(directory, 0), join(directory, 'aside'));
      renameSync(segment(directory, 1), segment(directory, 0));
      renameSync(join(directory, 'aside'), segment(directory, 1));
    });
    expect(firstBroken).toMatchObject({ sequence: 1, line: 1 });
  });

  test.each([0, 1])('deletes segment %d', async (index) => {
    const { firstBroken } = await reportAfter((directory) => rmSync(segment(directory, index)));
    expect(firstBroken?.reason).toMatch(/^the segment that begins with record \d+ is missing$/);
  });

  test('empties a segment', async () => {
    const { firstBroken } = await reportAfter((directory) => writeFileSync(segment(directory, 0), ''));
    expect(firstBroken?.reason).toMatch(/is missing/);
  });

  test('deletes the last segment, or a record at the end: a checkpoint knows better', async () => {
    for (const attack of [
      (directory: string) => rmSync(segment(directory, -1)),
      (directory: string) => editLines(segment(directory, -1), (lines) => lines.slice(0, -1)),
      (directory: string) => writeFileSync(segment(directory, -1), ''),
    ]) {
      const { firstBroken } = await reportAfter(attack);
      expect(firstBroken?.file).toMatch(/checkpoints\.jsonl$/);
      expect(firstBroken?.reason).toMatch(
        /vouches for 1[02] records, and the log ends with record \d+: its end was cut/,
      );
    }
  });

  test('cuts the end of the log and of the checkpoints: one kept elsewhere knows better', async () => {
    const note = lastNote(original);
    const cut = (directory: string) => {
      editLines(segment(directory, -1), (lines) => lines.slice(0, -1));
      editLines(join(directory, 'checkpoints.jsonl'), (lines) => lines.slice(0, -1));
    };
    expect(await reportAfter(cut)).toMatchObject({ ok: true, hadExternalCheckpoint: false });
    const report = await reportAfter(cut, { checkpoint: note });
    expect(report).toMatchObject({ ok: false, hadExternalCheckpoint: true });
    expect(report.firstBroken?.reason).toMatch(/the checkpoint given vouches for 12 records/);
  });

  test('cuts a checkpoint out, puts them in another order, or writes one twice', async () => {
    const file = (directory: string) => join(directory, 'checkpoints.jsonl');
    expect(
      (await reportAfter((directory) => editLines(file(directory), (lines) => lines.toReversed()))).ok,
    ).toBe(false);
    // One fewer proves less, and the report counts them.
    expect(
      await reportAfter((directory) => editLines(file(directory), (lines) => lines.slice(1))),
    ).toMatchObject({
      ok: true,
      checkpointsVerified: 2,
    });
    const twice = await reportAfter((directory) =>
      editLines(file(directory), (lines) => lines.flatMap((l) => [l, l])),
    );
    expect(twice.ok).toBe(true);
  });
});

test('whichever byte of whichever file is flipped, it is named', async () => {
  const directory = join(temporaryFolder(), 'audit');
  cpSync(original, directory, { recursive: true });
  const files = readdirSync(directory).filter((name) => name !== 'lock');
  let flips = 0;
  for (const name of files) {
    const file = join(directory, name);
    const bytes = readFileSync(file);
    for (let index = 0; index < bytes.length; index++) {
      const before = bytes[index] ?? 0;
      // Each bit in turn over the bytes, and every bit of the bytes that end lines.
      const masks = before === 10 ? [1, 2, 4, 8, 16, 32, 64, 128] : [1 << (index % 8)];
      for (const mask of masks) {
        bytes[index] = before ^ mask;
        writeFileSync(file, bytes);
        const { ok, firstBroken } = await verifyAuditLog({ directory, publicKey });
        if (ok || firstBroken === null) expect.fail(`${name}: byte ${index} ^ ${mask} went unnoticed`);
        flips += 1;
      }
      bytes[index] = before;
    }
    writeFileSync(file, bytes);
  }
  expect(flips).toBeGreaterThan(4000);
  expect((await verifyAuditLog({ directory, publicKey })).ok).toBe(true);
});

describe('a checkpoint from elsewhere is refused when it', () => {
  test.each([
    ['is not one', 'hello', /not a signed note/],
    ['has no end', 'sallyport/audit/node-1\n12\n', /not a signed note/],
  ])('%s', async (_, checkpoint, reason) => {
    await expect(reportAfter(() => {}, { checkpoint })).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(reportAfter(() => {}, { checkpoint })).rejects.toThrow(reason);
  });

  test('is not signed by the key of the log', async () => {
    const directory = join(temporaryFolder(), 'audit');
    await writeLog(directory, 1, { checkpointKey: otherKey() });
    await expect(reportAfter(() => {}, { checkpoint: lastNote(directory) })).rejects.toThrow(
      /not signed by the key/,
    );
  });

  test('is of another log', async () => {
    const directory = join(temporaryFolder(), 'audit');
    await writeLog(directory, 20, { node: 'node-2' });
    await expect(reportAfter(() => {}, { checkpoint: lastNote(directory) })).rejects.toThrow(
      /node-2.*node-1/,
    );
  });
});

test('without a public key the checkpoints are still compared, and the report says what it could not do', async () => {
  expect(await reportAfter(() => {}, { key: false })).toMatchObject({
    ok: true,
    hadPublicKey: false,
    checkpointsVerified: 0,
  });
});

test('a place without a log is an error, not a log without faults', async () => {
  await expect(verifyAuditLog({ directory: join(temporaryFolder(), 'none') })).rejects.toThrow(
    /there is no audit log in this place/,
  );
});
