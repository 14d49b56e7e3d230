import type { ComputeSettings } from './compute.ts';
import { GuardFault } from './engine/fault.ts';
import type { GuardSegment } from './guard.ts';
import { type GuardAddress, showGuardAddress } from './process/address.ts';
import { connectChild } from './process/connect-child.ts';
import { connectRemote } from './process/connect-remote.ts';
import type { GuardAnswer, Ready } from './process/messages.ts';
import type { Connection } from './supervised.ts';

/** A guard for one question: a model file in a process of its own, or one that serves several gates. */
export type GuardSource =
  | ({
      readonly kind: 'file';
      readonly model: string;
      readonly sha256: string | null;
      readonly preset: string | null;
    } & ComputeSettings)
  | { readonly kind: 'remote'; readonly address: GuardAddress };

type AnswerOf<T extends GuardAnswer['type']> = Extract<GuardAnswer, { type: T }>;

/** What a model file is, and how fast. Throws GuardFault for one that is refused. */
export function examineGuard(
  source: GuardSource,
): Promise<{ readonly ready: Ready; readonly examined: AnswerOf<'examined'> }> {
  return withGuard(source, true, async ({ line }, ready) => {
    const examined = await line.ask({ type: 'examine' });
    if (examined.type !== 'examined') throw new GuardFault('io', 'The guard did not describe its model.');
    return { ready, examined };
  });
}

/** Scores of one text, for every label that the model has. */
export function scoreOnce(
  source: GuardSource,
  segments: readonly GuardSegment[],
  deadlineMs: number,
): Promise<{ readonly ready: Ready; readonly scored: AnswerOf<'scores'> }> {
  return withGuard(source, false, async ({ line }, ready) => {
    const labels = [...ready.labels];
    if (labels.length === 0) throw new GuardFault('unsupported', 'The model has no labels.');
    const given = segments.map((one) => ({ ...one }));
    const scored = await line.ask({ type: 'score', segments: given, labels, deadlineMs });
    if (scored.type !== 'scores') throw new GuardFault('io', 'The guard did not score the text.');
    return { ready, scored };
  });
}

/** What a guard that serves several gates counts. */
export function statsOnce(address: GuardAddress): Promise<Readonly<Record<string, number>>> {
  return withGuard({ kind: 'remote', address }, false, async ({ line }) => {
    const answer = await line.ask({ type: 'stats' });
    if (answer.type !== 'stats') throw new GuardFault('io', 'The guard did not tell its counters.');
    return answer.stats;
  });
}

async function withGuard<T>(
  source: GuardSource,
  examine: boolean,
  work: (connection: Connection, ready: Ready) => Promise<T>,
): Promise<T> {
  const connection =
    source.kind === 'file'
      ? connectChild({ ...source, memoryBytes: null, examine })
      : connectRemote(source.address);
  try {
    return await work(connection, await connection.line.ready);
  } catch (fault) {
    if (!(fault instanceof GuardFault) || fault.code !== 'closed') throw fault;
    const where =
      source.kind === 'file' ? "The guard's process" : `The guard at ${showGuardAddress(source.address)}`;
    throw new GuardFault('closed', `${where} gave no answer: ${await connection.ended}.`, fault);
  } finally {
    connection.close();
    await connection.ended;
  }
}
