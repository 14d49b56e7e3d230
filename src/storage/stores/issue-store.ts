import type { IssueOutcome, IssueStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { agentStore } from './agent-store.ts';
import { oidcStore } from './oidc-store.ts';
import { passportStore } from './passport-store.ts';
import { statusEntryStore } from './status-entry-store.ts';

/** Ends the transaction without a trace. */
class NotIssued extends Error {
  readonly outcome: IssueOutcome;

  constructor(outcome: IssueOutcome) {
    super('not issued');
    this.outcome = outcome;
  }
}

/** Each passport in a transaction of its own, or in the one that is open. SQLite groups them: `grouped-issues.ts`. */
export function issueStore(link: Link): IssueStore {
  return {
    async write({ passport, agentRevision, once, statusEntries, entryFreeAt }, now) {
      const { tenant, jti, agentId } = passport;
      const written = link.atomically(async (inner): Promise<IssueOutcome> => {
        const agent = await agentStore(inner).get(tenant, agentId);
        if (agent?.status !== 'active' || agent.revision !== agentRevision) {
          throw new NotIssued({ kind: 'agent-changed' });
        }
        for (const [at, row] of once.entries()) {
          if (!(await oidcStore(inner).insertIfAbsent(row, now))) throw new NotIssued({ kind: 'used', at });
        }
        let statusIndex: number | null = null;
        for (const entry of statusEntries) {
          if (await statusEntryStore(inner).take({ tenant, entry, jti, freeAt: entryFreeAt }, now)) {
            statusIndex = entry;
            break;
          }
        }
        await passportStore(inner).insert({ ...passport, statusIndex });
        return { kind: 'issued', statusIndex };
      });
      return written.catch((cause: unknown) => {
        if (cause instanceof NotIssued) return cause.outcome;
        throw cause;
      });
    },
  };
}
