import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/index.ts';
import { createKeyFile } from '../files/index.ts';
import { absentBecause } from './absent.ts';
import { cascade } from './cascade.ts';
import { type ComputeSettings, computeOf } from './compute.ts';
import { findAddon } from './engine/addon-file.ts';
import { GuardFault } from './engine/fault.ts';
import type { GuardStatus } from './guard.ts';
import { DEFAULT_MODEL, findModel } from './model-file.ts';
import type { OpenGuard } from './opened.ts';
import { parseGuardAddress } from './process/address.ts';
import { connectChild } from './process/connect-child.ts';
import { connectRemote } from './process/connect-remote.ts';
import { type Connection, SupervisedGuard } from './supervised.ts';

/** In the data folder: that an engine has worked on this machine. */
const WORKED_NOTE = 'guard-worked.json';
/** The same of the bigger model of a cascade. */
const BIGGER_WORKED_NOTE = 'guard-cascade-worked.json';

/** The section `guard` of the settings. */
export interface GuardSettings extends ComputeSettings {
  readonly enabled: boolean;
  readonly model: string | null;
  readonly sha256: string | null;
  readonly preset: string | null;
  readonly required: boolean | null;
  readonly deadlineMs: number;
  readonly memoryBytes: number | null;
  readonly remote: string | null;
  /** A bigger model, asked where this one scores from `cascadeFrom` on and below `cascadeBelow`. */
  readonly cascadeModel: string | null;
  readonly cascadeSha256: string | null;
  readonly cascadePreset: string | null;
  readonly cascadeFrom: number;
  readonly cascadeBelow: number;
}

export interface OpenGuardOptions {
  readonly settings: GuardSettings;
  /** The state folder: paths of the settings begin there. */
  readonly home: string;
  /** Where it is noted that an engine has worked here. */
  readonly data: string;
  readonly programRoot: string;
  readonly clock: Clock;
  readonly onStatus?: (status: GuardStatus) => void;
  readonly onFault: (fault: unknown) => void;
}

/** Why no engine can be had on this machine; null: it can. */
export function whyNoEngine(): string | null {
  try {
    findAddon();
    return null;
  } catch (fault) {
    if (fault instanceof GuardFault) return fault.message;
    throw fault;
  }
}

/**
 * The guard of the settings. Once an engine has worked on this machine its absence counts as a missed deadline,
 * until an administrator writes `guard.required: false` (rule 10 of docs/guarantees.md).
 */
export function openGuard(o: OpenGuardOptions): OpenGuard {
  const { settings } = o;
  const small = openOne(o, WORKED_NOTE);
  if (settings.cascadeModel === null || !settings.enabled) return small;
  const bigger: GuardSettings = {
    ...settings,
    model: settings.cascadeModel,
    sha256: settings.cascadeSha256,
    preset: settings.cascadePreset,
    memoryBytes: null,
    remote: null,
  };
  return cascade(small, openOne({ ...o, settings: bigger }, BIGGER_WORKED_NOTE), {
    from: settings.cascadeFrom,
    below: settings.cascadeBelow,
  });
}

function openOne(o: OpenGuardOptions, noteName: string): OpenGuard {
  const { settings } = o;
  const note = join(o.data, noteName);
  let worked = existsSync(note);
  if (!settings.enabled) return neverThere('The guard model is turned off (guard.enabled).');
  const required = () => settings.required ?? worked;
  const reason = whyAbsent(o);
  if (reason !== null && !required()) return neverThere(reason);
  return new SupervisedGuard({
    connect: () => connect(o),
    required,
    deadlineMs: settings.deadlineMs,
    clock: o.clock,
    ...(o.onStatus === undefined ? {} : { onStatus: o.onStatus }),
    onReady: async ({ model, architecture }) => {
      if (worked) return;
      worked = true;
      const content = { model, architecture, at: new Date(o.clock.now()).toISOString() };
      await createKeyFile(note, `${JSON.stringify(content)}\n`).then(() => {}, o.onFault);
    },
  });
}

/** A sentence where there is nothing to start. */
function whyAbsent(o: OpenGuardOptions): string | null {
  if (o.settings.remote !== null) return null;
  try {
    if (findModel({ ...o.settings, ...o }) === null) {
      return 'No guard model is installed: rules, provenance, decoys and rates decide alone.';
    }
  } catch (fault) {
    // A pin that can't be read is told by the attempt to start.
    if (fault instanceof GuardFault) return null;
    throw fault;
  }
  return whyNoEngine();
}

function connect(o: OpenGuardOptions): Connection {
  const { settings, home } = o;
  if (settings.remote !== null) {
    const address = parseGuardAddress(settings.remote, home);
    if (address === null) throw new GuardFault('bad_argument', 'guard.remote is no address of this machine.');
    return connectRemote(address);
  }
  const model = findModel({ ...settings, ...o });
  if (model === null) throw new GuardFault('not_found', `There is no guard model (${DEFAULT_MODEL}).`);
  return connectChild({
    model: model.path,
    sha256: model.sha256,
    preset: settings.preset,
    ...computeOf(settings),
    memoryBytes: settings.memoryBytes,
  });
}

function neverThere(reason: string): OpenGuard {
  return {
    ...absentBecause(reason),
    isRequired: false,
    isFit: true,
    counts: { scored: 0, remembered: 0, late: 0, absent: 0, restarts: 0 },
    settled: async () => {},
    stats: async () => null,
    close: async () => {},
  };
}
