import type { DatabaseSync } from 'node:sqlite';
import type { Issue, IssueOutcome, OidcRow } from '../passport/index.ts';
import { oidcRowOf } from './stores/oidc-store.ts';
import { passportRow } from './stores/passport-store.ts';

type Write = (issue: Issue, now: number) => IssueOutcome;

const writers = new WeakMap<DatabaseSync, Write>();

/**
 * Writes one passport into the open transaction, with statements that are prepared once: the same as
 * `stores/issue-store.ts` says, which goes through the query builder. Everything is looked at before anything is
 * written, so that a no leaves nothing behind. A member of a row that no statement names is a fault of SQLite, not lost.
 */
export function issueWriter(database: DatabaseSync): Write {
  const known = writers.get(database);
  if (known !== undefined) return known;
  const made = prepare(database);
  writers.set(database, made);
  return made;
}

function prepare(database: DatabaseSync): Write {
  const agentNow = database.prepare('select status, revision from agents where tenant = ? and id = ?');
  const usedUntil = database.prepare('select expires_at as until from oidc_rows where model = ? and id = ?');
  const takeEntry = database.prepare(
    `insert into status_entries (tenant, entry, jti, free_at) values (?, ?, ?, ?)
     on conflict (tenant, entry) do update set jti = excluded.jti, free_at = excluded.free_at
     where status_entries.free_at <= ?`,
  );
  const insertPassport = database.prepare(
    `insert into passports (tenant, jti, agent_id, owner, user_id, sid, chain, scope, audience, jkt, x5t, grant_kind,
       issued_at, expires_at, parent, lineage, details, kid, credential, status_index)
     values (:tenant, :jti, :agent_id, :owner, :user_id, :sid, :chain, :scope, :audience, :jkt, :x5t, :grant_kind,
       :issued_at, :expires_at, :parent, :lineage, :details, :kid, :credential, :status_index)`,
  );
  const replaceRow = database.prepare(
    `insert or replace into oidc_rows (model, id, payload, grant_id, user_code, uid, expires_at, consumed_at)
     values (:model, :id, :payload, :grant_id, :user_code, :uid, :expires_at, :consumed_at)`,
  );

  const isUsed = ({ model, id }: OidcRow, now: number): boolean => {
    const row = usedUntil.get(model, id);
    return row !== undefined && (row.until === null || Number(row.until) > now);
  };

  return ({ passport, agentRevision, once, statusEntries, entryFreeAt }, now) => {
    const { tenant, jti, agentId } = passport;
    const agent = agentNow.get(tenant, agentId);
    if (agent?.status !== 'active' || agent.revision !== agentRevision) return { kind: 'agent-changed' };
    for (const [at, row] of once.entries()) {
      // An assertion and a proof that bear the same name are one thing that is used twice.
      const twice = once.slice(0, at).some(({ model, id }) => model === row.model && id === row.id);
      if (twice || isUsed(row, now)) return { kind: 'used', at };
    }
    let statusIndex: number | null = null;
    for (const entry of statusEntries) {
      if (takeEntry.run(tenant, entry, jti, entryFreeAt, now).changes !== 1) continue;
      statusIndex = entry;
      break;
    }
    for (const row of once) replaceRow.run(oidcRowOf(row));
    insertPassport.run(passportRow({ ...passport, statusIndex }));
    return { kind: 'issued', statusIndex };
  };
}
