import { constants } from 'node:os';

export interface StopSignals {
  /** Resolves with the reason when the service shall stop. */
  readonly stopped: Promise<string>;
  /** Calls back whenever settings files shall be read again. */
  readonly onReload: (reload: () => void) => void;
}

/**
 * What signals mean to the service. The first SIGTERM or SIGINT stops it in good order; the second ends it at
 * once, which loses nothing that was acknowledged. SIGHUP reads certificates and policies again; from a terminal
 * it means that the person is gone, so that it stops.
 */
export function listenForSignals(o: { readonly isTerminal: boolean }): StopSignals {
  const reloads = new Set<() => void>();
  const { promise: stopped, resolve } = Promise.withResolvers<string>();
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(128 + constants.signals[signal]);
    stopping = true;
    resolve(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  process.on('SIGHUP', (signal) => {
    if (o.isTerminal) stop(signal);
    else for (const reload of reloads) reload();
  });
  return { stopped, onReload: (reload) => void reloads.add(reload) };
}
