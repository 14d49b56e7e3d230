import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readAuditDirectory, verifyAuditLog } from '../../src/audit/index.ts';
import { eventNumber, openLog, publicKey, temporaryFolder } from '../unit/audit/support.ts';

const ROOM = new URL('../../src/audit/index.ts', import.meta.url).href;
const KILLS = 20;

/** Appends from many sides at once and reports each receipt when it has it. */
const CHILD = `
  import { generateKeyPairSync } from 'node:crypto';
  import { writeSync } from 'node:fs';
  const { openAuditLog } = await import(process.argv[1]);
  const log = await openAuditLog({
    directory: process.argv[2], durability: process.argv[3], node: 'node-1', segmentBytes: 64 * 1024,
    clock: { now: () => Date.now() }, checkpointKey: generateKeyPairSync('ed25519').privateKey,
    checkpointEveryRecords: 50,
  });
  const event = (number) => ({ type: 'passport.refused', tenant: 'default', at: number,
    data: { clientId: 'x'.repeat(number % 700), error: 'invalid_client', detail: null } });
  const append = async (number) => {
    for (;;) {
      const { sequence, hash } = await log.append(event(number++));
      writeSync(1, sequence + ' ' + hash + '\\n');
    }
  };
  for (let side = 0; side < 16; side++) append(side * 1000);
`;

test.each(['power', 'process'] as const)(
  `%s: a process killed ${KILLS} times while it appends loses no acknowledged record`,
  async (durability) => {
    const directory = join(temporaryFolder(), 'audit');
    const acknowledged = new Map<number, string>();
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', CHILD, ROOM, directory, durability],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const ended = once(child, 'exit');
      const lines = createInterface({ input: child.stdout });
      let heard = 0;
      lines.on('line', (line) => {
        const [sequence, hash] = line.split(' ');
        // A line that the kill cut short acknowledges nothing.
        if (hash?.length === 64) acknowledged.set(Number(sequence), hash);
        heard += 1;
      });
      await expect.poll(() => heard, { timeout: 20_000, interval: 2 }).toBeGreaterThan(kill);
      await sleep(Math.random() * 40);
      child.kill('SIGKILL');
      await ended;
      lines.close();
    }
    const log = await openLog(directory);
    await log.append(eventNumber(0));
    await log.close();
    const found = new Map<number, string>();
    for await (const { sequence, hash } of readAuditDirectory(directory)) found.set(sequence, hash);
    expect(acknowledged.size).toBeGreaterThan(KILLS);
    for (const [sequence, hash] of acknowledged) expect(found.get(sequence)).toBe(hash);
    // Each life signs with its own key here, so the checkpoints are compared but not their signatures.
    expect(await verifyAuditLog({ directory })).toMatchObject({ ok: true, records: found.size });
    expect((await verifyAuditLog({ directory, publicKey })).records).toBeLessThan(found.size);
  },
);
