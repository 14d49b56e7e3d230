import type { PassportRecord, PassportRoom, PersonGrantView } from '../passport/index.ts';
import type { AccessView, UserAccess } from '../people/index.ts';
import { TENANT } from './service.ts';

/** More than this in one name are told as the newest. */
const MOST = 500;
const REASON = 'ended by the user';

type Rooms = Pick<PassportRoom, 'passports' | 'personGrants' | 'agents' | 'revocations'>;

/** What agents hold in a user's name now: what they were let do, and passports that were asked for one by one. */
export function userAccess({ passports, personGrants, agents, revocations }: Rooms): UserAccess {
  const nameOf = async (id: string) => (await agents.get(id))?.name ?? id;

  /** Live passports by where their chains begin. */
  const chainsOf = async (userId: string) => {
    const unexpired = await passports.list({ userId, liveOnly: true, after: null, limit: MOST });
    const live = unexpired.filter((one) => !passports.isRevoked(one));
    return Map.groupBy(live, ({ chain }) => chain[0] ?? '');
  };

  return {
    async list(userId) {
      const chains = await chainsOf(userId);
      const grants = await personGrants.list({ userId, liveOnly: true, after: null, limit: MOST });
      const granted = grants.map((grant) => {
        const chain = chains.get(grant.hop) ?? [];
        chains.delete(grant.hop);
        return ofGrant(grant, chain);
      });
      return Promise.all([...granted, ...[...chains].map(([hop, chain]) => ofChain(hop, chain))]);
    },
    async end(userId, id, by) {
      const grant = await personGrants.get(id);
      if (grant !== null) {
        if (grant.userId !== userId || grant.status === 'ended') return false;
        await personGrants.end(id, by, REASON);
        return true;
      }
      if (id === '' || !(await chainsOf(userId)).has(id)) return false;
      await revocations.revoke({ tenant: TENANT, kind: 'hop', value: id, by, reason: REASON });
      return true;
    },
  };

  async function ofGrant(grant: PersonGrantView, chain: readonly PassportRecord[]): Promise<AccessView> {
    const { id, agentId, scopes, audience, createdAt, expiresAt } = grant;
    const [agent, others] = [await nameOf(agentId), await othersIn(chain, agentId)];
    return {
      id,
      agent,
      agentId,
      others,
      scope: scopes.join(' '),
      audience,
      since: createdAt,
      until: expiresAt,
    };
  }

  async function ofChain(id: string, chain: readonly PassportRecord[]): Promise<AccessView> {
    const first = chain.find((one) => one.chain.length === 1) ?? chain[0];
    if (first === undefined) throw new TypeError('a chain has a passport');
    // The one that acts first stands last.
    const agentId = first.lineage.at(-1) ?? first.agentId;
    return {
      id,
      agent: await nameOf(agentId),
      agentId,
      others: await othersIn(chain, agentId),
      scope: first.scope,
      audience: first.audience,
      since: Math.min(...chain.map(({ issuedAt }) => issuedAt)),
      until: Math.max(...chain.map(({ expiresAt }) => expiresAt)),
    };
  }

  function othersIn(chain: readonly PassportRecord[], agentId: string): Promise<string[]> {
    const ids = new Set(chain.flatMap((one) => [one.agentId, ...one.lineage]));
    ids.delete(agentId);
    return Promise.all([...ids].map(nameOf));
  }
}
