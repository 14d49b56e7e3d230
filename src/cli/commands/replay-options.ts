import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { openReplay, type Replay, RuleError, TraceError } from '../../detector/index.ts';
import { CliFault, stateFault, usageFault } from '../fault.ts';
import type { Output } from '../output.ts';
import type { State } from '../state.ts';

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
} as const;

/** Opens the detector without a past, and closes it whatever happens. Faults of rules and files are CliFaults. */
export async function withReplay(
  values: { readonly rules: string | undefined; readonly profile: string | undefined },
  state: State,
  work: (replay: Replay) => Promise<void>,
): Promise<void> {
  const profile = PROFILES.find((name) => name === values.profile);
  if (values.profile !== undefined && profile === undefined)
    throw usageFault(`--profile is one of ${PROFILES.join(', ')}.`);
  try {
    const replay = await openReplay({
      rulesDirectory: values.rules ?? join(state.config.paths.policies, 'detection'),
      profile: profile ?? state.config.detector.profile,
    });
    try {
      await work(replay);
    } finally {
      await replay.close();
    }
  } catch (cause) {
    if (cause instanceof CliFault) throw cause;
    if (cause instanceof RuleError || cause instanceof TraceError)
      throw stateFault(cause.message, 'Correct it and try again.', cause);
    if (cause instanceof Error && 'code' in cause && 'path' in cause)
      throw stateFault(`${String(cause.path)} can not be read (${String(cause.code)}).`, undefined, cause);
    throw cause;
  }
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
