import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM_ROOT } from '../../compose/index.ts';
import { systemClock } from '../../core/index.ts';
import { openReplay, type Replay, RuleError, TraceError } from '../../detector/index.ts';
import { absentGuard, type Guard, openGuard } from '../../guard/index.ts';
import { CliFault, stateFault, usageFault } from '../fault.ts';
import type { Output } from '../output.ts';
import type { State } from '../state.ts';

/** Nobody waits for a replay. */
const GUARD_DEADLINE_MS = 60_000;

const MAX_DECOYS = 10_000;

const PROFILES = ['observe', 'balanced', 'strict'] as const;

/** What the verbs that score recorded events have in common. */
export const REPLAY_OPTIONS = {
  out: {
    type: 'string',
    value: 'FILE',
    help: 'Where the scores go, one JSON object a line; default: standard output.',
  },
  rules: {
    type: 'string',
    value: 'DIR',
    help: 'Folder of detection rules; default: the one of this installation.',
  },
  profile: {
    type: 'string',
    value: 'NAME',
    help: `How scores become decisions: ${PROFILES.join(', ')}; default: as configured.`,
  },
  decoys: {
    type: 'string',
    value: 'COUNT',
    help: 'Look for so many decoys that the sessions have never read: what is found is a false alarm.',
  },
  without: {
    type: 'string',
    value: 'PARTS',
    help: 'Leave checks out, to see what they are worth: beginnings of their names, with commas (`rule,flow.leak,guard`).',
  },
} as const;

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

/** Takes lines for a file, or for standard output when there is none. */
export class LineSink {
  readonly #file: ReturnType<typeof createWriteStream> | null;
  readonly #output: Output;
  #fault: unknown = null;

  constructor(path: string | undefined, output: Output) {
    this.#output = output;
    this.#file = path === undefined ? null : createWriteStream(path);
    this.#file?.on('error', (fault) => {
      this.#fault = fault;
    });
  }

  async write(value: unknown): Promise<void> {
    const line = `${JSON.stringify(value)}\n`;
    if (this.#file === null) this.#output.raw(line);
    else if (!this.#file.write(line) && this.#fault === null) await once(this.#file, 'drain');
    if (this.#fault !== null) throw this.#fault;
  }

  async end(): Promise<void> {
    if (this.#file === null) return;
    this.#file.end();
    if (this.#fault === null) await once(this.#file, 'close');
    if (this.#fault !== null) throw this.#fault;
  }
}
