import type { Outbox } from '../alerts/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { Config } from '../config/index.ts';
import type { JsonObject } from '../core/index.ts';
import { type Detector, thresholdsOf } from '../detector/index.ts';
import type { ServiceRegistry } from '../gateway/index.ts';
import type { OpenGuard } from '../guard/index.ts';
import { formatFault, type PolicyKeeper } from '../policy/index.ts';

/** What is on, what is off, and what an administrator has weakened (G9: it stands in every status output). */
export async function statusOf(o: {
  readonly version: string;
  readonly config: Config;
  readonly log: AuditLog;
  readonly keeper: PolicyKeeper;
  readonly guard: OpenGuard;
  readonly detector: Detector;
  readonly outbox: Outbox;
  readonly services: ServiceRegistry;
}): Promise<JsonObject> {
  const { config, keeper, detector, guard } = o;
  const set = keeper.current();
  return {
    version: o.version,
    node: config.node.name,
    storage: { kind: config.storage.kind, durability: config.storage.durability },
    audit: { durability: config.audit.durability, lastSequence: o.log.lastSequence },
    vault: { seal: config.vault.seal },
    policy: { generation: set.generation, policies: set.size, faults: keeper.faults.map(formatFault) },
    services: o.services.all().length,
    detector: {
      profile: detector.profile,
      rules: detector.rules,
      rulesLeftOut: detector.refusedRules,
      ruleFaults: [...detector.ruleFaults],
      onLate: config.detector.onLate,
    },
    guard: {
      ...guard.status,
      required: guard.isRequired,
      counts: { ...guard.counts },
      engine: await guard.stats(),
    },
    outbox: { ...(await o.outbox.lag()) },
    weakened: weakened(config, keeper, detector),
  };
}

function raised({ detector }: Config): boolean {
  const own = thresholdsOf(detector.profile, {});
  const set = thresholdsOf(detector.profile, detector);
  return set.hold > own.hold || set.deny > own.deny;
}

function weakened(config: Config, keeper: PolicyKeeper, detector: Detector): readonly string[] {
  const lines: string[] = [];
  if (config.gateway.bearer !== 'never')
    lines.push('Passports without a key binding are taken from this machine (gateway.bearer).');
  if (config.detector.onLate !== 'deny')
    lines.push(`A late detector gives ${config.detector.onLate} (detector.onLate).`);
  if (!config.guard.enabled) lines.push('No guard model reads along (guard.enabled).');
  if (config.guard.required === false)
    lines.push('Calls pass without the opinion of a guard model when there is none (guard.required).');
  if (config.detector.profile === 'observe') lines.push('The detector only watches (detector.profile).');
  if (raised(config))
    lines.push('The detector holds or denies later than its profile (detector.holdFrom, denyFrom).');
  if (config.audit.durability !== 'power')
    lines.push('A power cut can lose acknowledged audit records (audit.durability).');
  if (config.storage.kind === 'sqlite' && config.storage.durability !== 'power') {
    lines.push('A power cut can lose acknowledged changes, revocations too (storage.durability).');
  }
  if (keeper.faults.length > 0) lines.push('The policy folder is broken; an older set is in force.');
  if (detector.ruleFaults.length > 0) lines.push('The detection rules are broken; older ones are in force.');
  return lines;
}
