import { HOSTS, type HostName, isHostName } from '../../hooks/index.ts';
import type { OptionSpec } from '../command.ts';
import { usageFault } from '../fault.ts';

export const HOST_NAMES = `One of ${Object.keys(HOSTS).join(', ')}.`;

const WHEN_LATE = ['deny', 'ask', 'none'] as const;

export type WhenLate = (typeof WHEN_LATE)[number];

export const WHEN_LATE_OPTION = {
  type: 'string',
  value: 'VERDICT',
  help: 'What to say when the gate can not be asked in time: deny (default), ask or none.',
} as const satisfies OptionSpec;

export const FILE_OPTION = {
  type: 'string',
  value: 'FILE',
  help: 'Settings file; default: the one in your home folder.',
} as const satisfies OptionSpec;

/** Throws CliFault for a host that has no hooks of ours. */
export function hostNamed(name: string): HostName {
  if (!isHostName(name)) throw usageFault(`${JSON.stringify(name)} is no host; ${HOST_NAMES}`);
  return name;
}

/** Throws CliFault for a verdict that is none. */
export function whenLateOf(value: string | undefined): WhenLate {
  const found = WHEN_LATE.find((verdict) => verdict === (value ?? 'deny'));
  if (found === undefined) throw usageFault(`--when-late is one of ${WHEN_LATE.join(', ')}.`);
  return found;
}
