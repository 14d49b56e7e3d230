import { Refusal } from '../core/index.ts';
import type { PassportStores } from './options.ts';
import type { AgentRecord, RevocationRecord } from './store.ts';

const PAGE = 200;

/** The agents that may get nothing new: else they would fetch a fresh passport within the second. */
export async function quarantineAll(
  record: RevocationRecord,
  stores: PassportStores,
): Promise<AgentRecord[]> {
  const quarantined: AgentRecord[] = [];
  for (const agent of await agentsOf(record, stores)) {
    if (agent.status !== 'active') continue;
    const changed: AgentRecord = {
      ...agent,
      status: 'quarantined',
      updatedAt: record.revokedAt,
      revision: agent.revision + 1,
    };
    if (!(await stores.agents.update(changed))) throw new Refusal('conflict');
    quarantined.push(changed);
  }
  return quarantined;
}

async function agentsOf(
  { tenant, kind, value }: RevocationRecord,
  stores: PassportStores,
): Promise<AgentRecord[]> {
  if (kind === 'agent') {
    const agent = await stores.agents.get(tenant, value);
    return agent === null ? [] : [agent];
  }
  if (kind !== 'owner') return [];
  const owned: AgentRecord[] = [];
  for (let after: string | null = null; ; ) {
    const page: AgentRecord[] = await stores.agents.list(tenant, { after, limit: PAGE });
    owned.push(...page.filter(({ owner }) => owner === value));
    if (page.length < PAGE) return owned;
    after = page.at(-1)?.id ?? null;
  }
}
