import type { AdminRooms } from '../admin/index.ts';
import type { Clock, JsonObject } from '../core/index.ts';
import {
  checkPolicies,
  explain,
  formatFault,
  type PolicyKeeper,
  type ReloadResult,
} from '../policy/index.ts';

/** The keeper as the admin API shows it. */
export function policyRoom(keeper: PolicyKeeper, clock: Clock): AdminRooms['policy'] {
  return {
    status: () => statusOf(keeper),
    async check() {
      const { ok, policies, faults } = await checkPolicies(keeper.directory);
      return { ok, policies, faults: faults.map(formatFault) };
    },
    reload: async () => toJson(await keeper.reload()),
    explain: async (request) =>
      ({ ...explain(keeper.current(), request, clock.now()) }) as unknown as JsonObject,
  };
}

function statusOf(keeper: PolicyKeeper): JsonObject {
  const { generation, digest, size } = keeper.current();
  const faults = keeper.faults.map(formatFault);
  return {
    generation,
    policies: size,
    digest,
    directory: keeper.directory,
    inForce: faults.length === 0,
    faults,
  };
}

function toJson(result: ReloadResult): JsonObject {
  switch (result.kind) {
    case 'unchanged':
      return { ...result };
    case 'loaded':
      return { ...result };
    case 'rejected':
      return { ...result, faults: result.faults.map(formatFault) };
  }
}
