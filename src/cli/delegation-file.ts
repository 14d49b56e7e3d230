import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { createKeyFile } from '../files/index.ts';
import type { Delegation } from '../sdk/index.ts';
import { stateFault } from './fault.ts';

const MOST_BYTES = 64 * 1024;
const delegation = z.strictObject({ subjectToken: z.string().min(1), subjectProof: z.string().min(1) });

/** What one agent passed on to another, as `sallyport passport delegate` wrote it. Throws CliFault. */
export function readDelegation(file: string): Delegation {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MOST_BYTES) throw new Error('too large');
    return delegation.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw stateFault(
      `${file} is not what sallyport passport delegate writes.`,
      'Ask for a new one: sallyport passport delegate --to AGENT --out FILE',
      cause,
    );
  }
}

/** Writes it with mode 0600. Throws CliFault when there is such a file. */
export async function writeDelegation(file: string, given: Delegation): Promise<void> {
  if (await createKeyFile(resolve(file), `${JSON.stringify(given)}\n`)) return;
  throw stateFault(`${file} exists already.`, 'Move it away, or choose another name.');
}
