import type { CrashRun } from '../../support/crash-rounds.ts';
import { admin } from '../../support/service-process.ts';

/** Something that goes wrong around the service. */
export interface Disaster {
  readonly name: string;
  readonly title: string;
  /** Gives what it found, a line each; throws when the service did not withstand. */
  run(): AsyncGenerator<string>;
}

export function must(truth: boolean, otherwise: string): asserts truth {
  if (!truth) throw new Error(otherwise);
}

/** The code of an admin request that is refused; `ok` when it is not. */
export async function outcome(
  service: Parameters<typeof admin>[0],
  method: string,
  path: string,
  body?: unknown,
): Promise<string> {
  const { status, json } = await admin(service, method, path, body);
  return status < 300 ? 'ok' : `${status} ${json.code}`;
}

/** Makes calls until one is answered with `status`; the number of calls. */
export async function callUntil(
  call: () => Promise<{ readonly status: number }>,
  status: number,
  limit: number,
): Promise<number> {
  const seen = new Set<number>();
  for (let count = 1; count <= limit; count++) {
    const { status: answered } = await call();
    if (answered === status) return count;
    seen.add(answered);
  }
  throw new Error(`${limit} calls were answered ${[...seen].join(', ')}, and never ${status}`);
}

/** Chain and acknowledgements, at the end of each disaster. */
export async function nothingIsLost(run: CrashRun): Promise<string> {
  const { ok, firstBroken, records } = await run.verify();
  must(ok, `the chain is broken: ${JSON.stringify(firstBroken)}`);
  const { lost, checked } = await run.losses();
  must(lost.length === 0, `lost: ${lost.join('; ')}`);
  const total = Object.values(checked).reduce((sum, count) => sum + count, 0);
  return `chain whole over ${records} records; all ${total} acknowledged things are there`;
}
