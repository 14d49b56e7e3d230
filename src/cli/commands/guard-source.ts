import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  BACKENDS,
  type ComputeSettings,
  computeOf,
  DEFAULT_COMPUTE,
  DEFAULT_MODEL,
  findModel,
  GuardFault,
  type GuardSource,
  PRESETS,
  parseGuardAddress,
  STREAMING,
} from '../../guard/index.ts';
import { CliFault, EXIT, stateFault, usageFault } from '../fault.ts';
import { PROGRAM_ROOT } from '../program-root.ts';
import type { State } from '../state.ts';
import type { ModelValues } from './guard-options.ts';

/** A model file of the command line, or the guard of the settings. */
export function sourceOf(values: ModelValues, model: string | undefined, state: State): GuardSource {
  const preset = values.preset ?? null;
  if (preset !== null && !PRESETS.some(({ name }) => name === preset))
    throw usageFault(`--preset: there is no ${preset}.`);
  const sha256 = values.sha256 ?? null;
  if (sha256 !== null && !/^[0-9a-f]{64}$/.test(sha256))
    throw usageFault('--sha256 has 64 lower-case hex digits.');
  const said = computeSaid(values);
  if (model !== undefined)
    return { kind: 'file', model: resolve(model), sha256, preset, ...DEFAULT_COMPUTE, ...said };
  const { guard, paths } = state.config;
  if (guard.remote !== null) return { kind: 'remote', address: addressOf(guard.remote, paths.home) };
  const found = findModel({ ...guard, home: paths.home, programRoot: PROGRAM_ROOT });
  if (found === null) {
    throw stateFault(
      'No guard model is installed.',
      `Name a file, set guard.model, or put one at ${DEFAULT_MODEL}.`,
    );
  }
  return {
    kind: 'file',
    model: found.path,
    sha256: sha256 ?? found.sha256,
    preset: preset ?? guard.preset,
    ...computeOf(guard),
    ...said,
  };
}

/** What the command line says of computing; the rest is as configured. */
function computeSaid(values: ModelValues): Partial<ComputeSettings> {
  const { threads, backend, streaming } = values;
  if (threads !== undefined && !/^([01]?\d{1,2}|2[0-4]\d|25[0-6])$/.test(threads))
    throw usageFault('--threads is a whole number from 0 to 256.');
  const maxDeviceBytes = bytesOf('--max-device-bytes', values['max-device-bytes']);
  const maxPinnedBytes = bytesOf('--max-pinned-bytes', values['max-pinned-bytes']);
  const link = bytesOf('--simulated-link', values['simulated-link']);
  return {
    ...(threads === undefined ? {} : { threads: Number(threads) }),
    ...(values.int8 === true ? { int8: true } : {}),
    ...(backend === undefined ? {} : { backend: oneOf('--backend', BACKENDS, backend) }),
    ...(streaming === undefined ? {} : { streaming: oneOf('--streaming', STREAMING, streaming) }),
    ...(maxDeviceBytes === null ? {} : { maxDeviceBytes }),
    ...(maxPinnedBytes === null ? {} : { maxPinnedBytes }),
    ...(link === null ? {} : { simulatedLinkBytesPerSecond: link }),
  };
}

function oneOf<T extends string>(option: string, names: readonly T[], said: string): T {
  const found = names.find((name) => name === said);
  if (found === undefined) throw usageFault(`${option} is one of ${names.join(', ')}.`);
  return found;
}

function bytesOf(option: string, said: string | undefined): number | null {
  if (said === undefined) return null;
  const bytes = Number(said);
  if (!/^[1-9]\d{0,15}$/.test(said) || !Number.isSafeInteger(bytes))
    throw usageFault(`${option} is a whole number of bytes.`);
  return bytes;
}

export function addressOf(text: string, folder: string) {
  const address = parseGuardAddress(text, folder);
  if (address === null)
    throw usageFault(`${text} is no address of this machine: unix:PATH, or 127.0.0.1:PORT.`);
  return address;
}

/** SHA-256 of a model's weights: the file itself, or model.safetensors of a folder. Null: it can't be read. */
export async function digestOf(model: string): Promise<string | null> {
  const isFolder = statSync(model, { throwIfNoEntry: false })?.isDirectory() === true;
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(isFolder ? join(model, 'model.safetensors') : model))
      hash.update(chunk);
  } catch {
    // The engine has told what is wrong with the file; the digest is beside it.
    return null;
  }
  return hash.digest('hex');
}

/** Runs `work`; what the engine refuses becomes a fault of the command line. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof GuardFault)) throw cause;
    const refused =
      cause.code === 'model_rejected' || cause.code === 'pin_mismatch' || cause.code === 'unsupported';
    throw new CliFault(refused ? EXIT.refused : EXIT.state, cause.code, cause.message, { cause });
  }
}
