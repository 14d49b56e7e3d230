import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, summarizeConfig } from '../config/index.ts';
import { systemClock } from '../core/index.ts';
import { addressOf } from './addresses.ts';
import { settleGuardAtFirstStart } from './guard-at-first-start.ts';
import { openAdministration } from './open-administration.ts';
import { openAlerting } from './open-alerting.ts';
import { openDataPlane } from './open-data-plane.ts';
import { openJudges } from './open-judges.ts';
import { openRecords } from './open-records.ts';
import { openState } from './open-state.ts';
import { openWatch } from './open-watch.ts';
import { type RunningService, type StartOptions, TENANT, type Wiring } from './service.ts';
import { prepareStateFolder } from './state-folder.ts';
import { openListenersTls } from './tls/index.ts';
import { PROGRAM_ROOT, programVersion } from './version.ts';
import { Readiness } from './watch/index.ts';

/**
 * The only wiring: every room is made here, with what it needs as arguments; the `open-*` files beside this one
 * make those that belong together. Rejects when anything that must work does not; what was opened until then is
 * closed again.
 */
export async function startService(options: StartOptions): Promise<RunningService> {
  const stack = new AsyncDisposableStack();
  try {
    return await wire(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function wire(options: StartOptions, stack: AsyncDisposableStack): Promise<RunningService> {
  const { onFault, clock = systemClock } = options;
  const version = programVersion();
  const { first } = await prepareStateFolder(options.config.paths, PROGRAM_ROOT);
  const guardNote = first ? settleGuardAtFirstStart(options.config) : null;
  // What was just written down holds from now on.
  const config: Config =
    guardNote === null
      ? options.config
      : { ...options.config, guard: { ...options.config.guard, required: false } };
  const wiring: Wiring = { config, clock, onFault, stack };
  const addresses = {
    control: await addressOf(config.control),
    gateway: await addressOf(config.gateway),
  };

  const records = await openRecords(wiring, options.logger);
  const { log, audit } = records;
  const tls = await openListenersTls({ config, clock, audit, tenant: TENANT, onFault });
  stack.defer(() => tls.close());
  const { storage, vault } = await openState(wiring, records, options.passphrase ?? null);
  const judges = await openJudges(wiring, records, storage, {
    issuer: addresses.control.url,
    audience: addresses.gateway.url,
  });
  const { services, keeper, passport, guard, detector } = judges;
  const readiness = new Readiness({
    database: async () => {
      await storage.ping();
      return true;
    },
    audit: () => log.isWritable,
    keys: () => passport.keys.jwks().keys.length > 0,
    policy: () => keeper.current().generation > 0,
    guard: () => guard.isFit,
  });
  const dataPlane = await openDataPlane(wiring, records, {
    judges,
    vault,
    addresses,
    tls: tls.gateway,
    readiness,
  });
  const { gateway } = dataPlane;
  const { sinks, outbox } = await openAlerting(wiring, records, { storage, vault, send: gateway.send });
  const administrator = await openAdministration(wiring, records, {
    judges,
    storage,
    vault,
    gateway,
    sinks,
    outbox,
    address: addresses.control,
    tls: tls.control,
    readiness,
    isTerminal: options.isTerminal,
  });
  await openWatch(wiring, records, { readiness, outbox, keeper, guard, tls });

  await audit({
    type: 'gate.started',
    tenant: TENANT,
    at: clock.now(),
    data: { version, node: process.versions.node, settings: summarizeConfig(config) },
  });
  return {
    version,
    controlUrl: addresses.control.url,
    gatewayUrl: addresses.gateway.url,
    first,
    unused: services.all().length === 0,
    guard: () => guard.status,
    guardNote,
    administrator,
    async reload() {
      await Promise.all([tls.reload(), keeper.reload(), detector.reloadRules()]);
    },
    async stop(reason) {
      readiness.stop();
      await sleep(config.gateway.drainDelayMs);
      const { callsCut } = await dataPlane.close();
      try {
        await audit({ type: 'gate.stopped', tenant: TENANT, at: clock.now(), data: { reason, callsCut } });
      } finally {
        // A log that takes no more records must not keep the rest from being closed.
        await stack.disposeAsync();
      }
      return { callsCut };
    },
  };
}
