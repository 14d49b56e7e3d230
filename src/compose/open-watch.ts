import type { Outbox } from '../alerts/index.ts';
import type { OpenGuard } from '../guard/index.ts';
import type { PolicyKeeper } from '../policy/index.ts';
import type { Records, Wiring } from './service.ts';
import type { ListenersTls } from './tls/index.ts';
import { programVersion } from './version.ts';
import { Meters, openMonitor, type Readiness } from './watch/index.ts';

/** The port for those who watch the service, where one is set; nothing is counted before somebody can fetch it. */
export async function openWatch(
  { config, onFault, stack }: Wiring,
  records: Records,
  o: {
    readonly readiness: Readiness;
    readonly outbox: Outbox;
    readonly keeper: PolicyKeeper;
    readonly guard: OpenGuard;
    readonly tls: Pick<ListenersTls, 'keepers'>;
  },
): Promise<void> {
  const { host, port, metrics } = config.monitor;
  if (port === null) return;
  const { readiness } = o;
  if (metrics) {
    records.meters = new Meters({
      ready: async () => (await readiness.ask()).parts,
      outbox: () => o.outbox.lag(),
      auditSequence: () => records.log.lastSequence,
      guardState: () => o.guard.status.kind,
      guardCounts: () => o.guard.counts,
      guardStats: () => o.guard.stats(),
      policyFaults: () => o.keeper.faults.length,
      certificates: () => new Map(o.tls.keepers.map((one) => [one.listener, one.expiresAt])),
      version: programVersion(),
    });
  }
  const registry = records.meters?.registry ?? null;
  const monitor = await openMonitor({ host, port, readiness, registry, onFault });
  stack.defer(() => monitor.close());
}
