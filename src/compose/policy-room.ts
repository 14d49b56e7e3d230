import type { AdminRooms } from '../admin/index.ts';
import type { Clock, JsonObject } from '../core/index.ts';
import type { Detector } from '../detector/index.ts';
import {
  checkPolicies,
  explain,
  formatFault,
  type PolicyKeeper,
  type ReloadResult,
} from '../policy/index.ts';

/** The keeper, and the detection rules beside the policies, as the admin API shows them. */
export function policyRoom(
  keeper: PolicyKeeper,
  detector: Pick<Detector, 'reloadRules' | 'rules' | 'ruleFaults'>,
  clock: Clock,
): AdminRooms['policy'] {
  return {
    status: () => ({
      ...statusOf(keeper),
      detection: { rules: detector.rules, faults: [...detector.ruleFaults] },
    }),
    async check() {
      const { ok, policies, faults } = await checkPolicies(keeper.directory);
      return { ok, policies, faults: faults.map(formatFault) };
    },
    async reload() {
      const policies = toJson(await keeper.reload());
      return { ...policies, detection: { ...(await detector.reloadRules()) } };
    },
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
