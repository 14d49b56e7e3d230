import { findAddon } from '../engine/addon-file.ts';
import type { Connection } from '../supervised.ts';
import { GuardLine } from './line.ts';
import { type ChildOptions, startChild } from './start-child.ts';

/** Starts a guard's process and speaks with it; a line that breaks the protocol ends the process. */
export function connectChild(
  o: Omit<ChildOptions, 'files'>,
): Connection & { readonly pid: number | undefined } {
  const child = startChild({ ...o, files: findAddon() });
  const line = new GuardLine(child.line);
  // It gets no time to tidy up: what broke the protocol, or says nothing, is not trusted to end by itself.
  const cut = line.ended.then((reason) => {
    child.kill();
    return reason;
  });
  const ended = Promise.all([cut, child.ended]).then(([reason, how]) =>
    reason === 'the line was closed' ? how : reason,
  );
  return { line, ended, pid: child.pid, close: () => line.cut('it was told to end') };
}
