import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../core/index.ts';
import { openReplay, type Replay, RuleError, TraceError } from '../../detector/index.ts';
import { absentGuard, type Guard, openGuard } from '../../guard/index.ts';
import { CliFault, stateFault, usageFault } from '../fault.ts';
import { PROGRAM_ROOT } from '../program-root.ts';
import type { State } from '../state.ts';
import { PROFILES } from './replay-options.ts';

/** Nobody waits for a replay. */
const GUARD_DEADLINE_MS = 60_000;

const MAX_DECOYS = 10_000;

/** Opens the detector without a past, and closes it whatever happens. Faults of rules and files are CliFaults. */
export async function withReplay(
  values: {
    readonly rules: string | undefined;
    readonly profile: string | undefined;
    readonly without: string | undefined;
    readonly decoys: string | undefined;
  },
  state: State,
  work: (replay: Replay) => Promise<void>,
): Promise<void> {
  const profile = PROFILES.find((name) => name === values.profile);
  if (values.profile !== undefined && profile === undefined)
    throw usageFault(`--profile is one of ${PROFILES.join(', ')}.`);
  const without = values.without?.split(',').filter((part) => part !== '') ?? [];
  const decoys = Number(values.decoys ?? 0);
  if (!Number.isInteger(decoys) || decoys < 0 || decoys > MAX_DECOYS)
    throw usageFault(`--decoys is a number up to ${MAX_DECOYS}.`);
  const { paths, detector } = state.config;
  await using stack = new AsyncDisposableStack();
  try {
    const replay = await openReplay({
      rulesDirectory: values.rules ?? join(paths.policies, 'detection'),
      profile: profile ?? detector.profile,
      // The thresholds of the settings are those of the profile of the settings.
      ...(profile === undefined ? { holdFrom: detector.holdFrom, denyFrom: detector.denyFrom } : {}),
      labels: detector.labels,
      guard: without.includes('guard') ? absentGuard : await guardOf(state, stack),
      without,
      decoys,
    });
    stack.defer(() => replay.close());
    await work(replay);
  } catch (cause) {
    if (cause instanceof CliFault) throw cause;
    if (cause instanceof RuleError || cause instanceof TraceError)
      throw stateFault(cause.message, 'Correct it and try again.', cause);
    if (cause instanceof Error && 'code' in cause && 'path' in cause)
      throw stateFault(`${String(cause.path)} can not be read (${String(cause.code)}).`, undefined, cause);
    throw cause;
  }
}

/** The guard model of the settings, in a process of its own; without a note that it has worked, which live calls mind. */
async function guardOf({ config }: State, stack: AsyncDisposableStack): Promise<Guard> {
  const data = await mkdtemp(join(tmpdir(), 'sallyport-replay-'));
  stack.defer(() => rm(data, { recursive: true, force: true }));
  const guard = openGuard({
    settings: { ...config.guard, required: false, deadlineMs: GUARD_DEADLINE_MS },
    home: config.paths.home,
    data,
    programRoot: PROGRAM_ROOT,
    clock: systemClock,
    onFault: () => {},
  });
  stack.defer(() => guard.close());
  await guard.settled(GUARD_DEADLINE_MS);
  return guard;
}
