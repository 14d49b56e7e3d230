import { join } from 'node:path';
import {
  AdminTokens,
  controlHostNames,
  createAdminApi,
  ensureFirstAdministrator,
  type FirstAdministrator,
} from '../admin/index.ts';
import type { Outbox, Sinks } from '../alerts/index.ts';
import { loadCheckpointPublicKey, verifyAuditLog } from '../audit/index.ts';
import { loadOrCreateRandomKey } from '../files/index.ts';
import type { Gateway, ListenerTls } from '../gateway/index.ts';
import type { Storage } from '../storage/index.ts';
import type { Vault } from '../vault/index.ts';
import type { Address } from './addresses.ts';
import { openControlPlane } from './control-plane.ts';
import { ADMIN_PEPPER_FILE } from './lost-keys.ts';
import { sealerOf } from './open-alerting.ts';
import type { Judges } from './open-judges.ts';
import { policyRoom } from './policy-room.ts';
import { type Records, TENANT, type Wiring } from './service.ts';
import { snapshotDatabase } from './snapshot.ts';
import { statusOf } from './status.ts';
import { programVersion } from './version.ts';
import type { Readiness } from './watch/index.ts';

/** The control plane: the admin API over all rooms, the issuer beside it, and the first administrator. */
export async function openAdministration(
  wiring: Wiring,
  { log, audit }: Records,
  o: {
    readonly judges: Judges;
    readonly storage: Storage;
    readonly vault: Vault;
    readonly gateway: Gateway;
    readonly sinks: Sinks;
    readonly outbox: Outbox;
    readonly address: Address;
    readonly tls: ListenerTls | null;
    readonly readiness: Readiness;
    readonly isTerminal: boolean;
  },
): Promise<FirstAdministrator> {
  const { config, clock, onFault, stack } = wiring;
  const { paths } = config;
  const { services, keeper, approvals, guard, detector, passport, people } = o.judges;
  const { storage, vault, sinks, outbox } = o;
  const pepper = await loadOrCreateRandomKey(join(paths.keys, ADMIN_PEPPER_FILE), 'admin tokens');
  const tokens = new AdminTokens({ store: storage.adminTokens, pepper, clock, audit });
  const administrator = await ensureFirstAdministrator({
    tokens,
    tenant: TENANT,
    keysDirectory: paths.keys,
    isTerminal: o.isTerminal,
  });
  const admin = createAdminApi({
    rooms: {
      passport,
      users: people.users,
      services: {
        put: (definition, by) => services.put(definition, by),
        byName: (tenant, name) => services.byName(tenant, name),
        list: (tenant) => services.all().filter((service) => service.tenant === tenant),
        delete: (tenant, name, by) => services.delete({ tenant, name }, by),
      },
      vault,
      approvals,
      policy: policyRoom(keeper, detector, clock),
      sinks,
      deliveries: (filter) => storage.outbox.list(log.node, filter),
      decoys: detector.decoys,
      audit: log,
      verifyAudit: async (checkpoint) => {
        const publicKey = await loadCheckpointPublicKey(paths.keys);
        return verifyAuditLog({
          directory: paths.audit,
          ...(publicKey === null ? {} : { publicKey }),
          ...(checkpoint === null ? {} : { checkpoint }),
        });
      },
      authority: o.gateway.authority,
      tokens,
      snapshotDatabase: (by) =>
        snapshotDatabase({ storage, data: paths.data, clock, audit, tenant: TENANT }, by),
      status: () =>
        statusOf({ version: programVersion(), config, log, keeper, guard, detector, outbox, services }),
    },
    tokens,
    idempotency: { store: storage.idempotency, sealer: sealerOf(vault), pepper },
    audit,
    clock,
    hostNames: controlHostNames({ host: config.control.host, publicUrl: config.control.publicUrl }),
    tenant: TENANT,
    onFault,
  });
  const control = await openControlPlane({
    address: o.address,
    admin,
    issuer: passport.issuer,
    pages: people.pages,
    tls: o.tls,
    readiness: o.readiness,
  });
  stack.defer(() => control.close());
  return administrator;
}
