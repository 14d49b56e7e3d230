import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AuditLog, type AuditLogOptions, openAuditLog } from '../../../src/audit/index.ts';
import type { AuditEvent } from '../../../src/core/index.ts';

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const { privateKey: checkpointKey, publicKey } = generateKeyPairSync('ed25519');

export function otherKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** Opens a log that is closed after the test. */
export async function openLog(directory: string, options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const log = await openAuditLog(optionsFor(directory, options));
  onTestFinished(() => log.close().catch(() => {}));
  return log;
}

function optionsFor(directory: string, options: Partial<AuditLogOptions>): AuditLogOptions {
  return {
    directory,
    durability: 'power',
    node: 'node-1',
    clock: { now: () => 1_750_000_000_000 },
    checkpointKey,
    ...options,
  };
}

/** An event that says which one it is. */
export function eventNumber(number: number, filler = ''): AuditEvent {
  return {
    type: 'passport.refused',
    tenant: 'default',
    at: 1_750_000_000_000 + number,
    data: { clientId: `agent-${number}`, error: 'invalid_client', detail: filler === '' ? null : filler },
  };
}

/** A closed log of `count` records. */
export async function writeLog(
  directory: string,
  count: number,
  options: Partial<AuditLogOptions> = {},
): Promise<void> {
  const log = await openAuditLog(optionsFor(directory, options));
  // One after the other, so that segments roll where they would in use.
  for (let number = 1; number <= count; number++) await log.append(eventNumber(number));
  await log.close();
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
