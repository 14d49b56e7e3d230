import { type OpenGuard, openGuard } from '../guard/index.ts';
import type { Wiring } from './service.ts';
import { PROGRAM_ROOT } from './version.ts';

/** A small model is there before the first call; a large one is waited for by those calls that need it. */
const MOST_WAIT_MS = 10_000;

/** The guard model, in its own process; closed with the service. */
export async function openGuardOf({ config, clock, onFault, stack }: Wiring): Promise<OpenGuard> {
  let told = '';
  const guard = openGuard({
    settings: config.guard,
    home: config.paths.home,
    data: config.paths.data,
    programRoot: PROGRAM_ROOT,
    clock,
    onStatus: (status) => {
      // The same reason again is the same news.
      if (status.kind !== 'failing' || status.reason === told) return;
      told = status.reason;
      onFault(new Error(`The guard model does not work: ${status.reason}`));
    },
    onFault,
  });
  stack.defer(() => guard.close());
  await guard.settled(MOST_WAIT_MS);
  return guard;
}
