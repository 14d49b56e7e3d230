import { z } from 'zod';
import type { Clock, JsonObject, JsonValue } from '../core/index.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { OidcRow, OidcStore } from './store.ts';

/** What oidc-provider stores, as far as we look into it. */
type Payload = Readonly<Record<string, unknown>>;

/** The contract of oidc-provider's adapters, for one model. */
export interface ModelAdapter {
  upsert(id: string, payload: Payload, expiresInSeconds?: number): Promise<void>;
  find(id: string): Promise<Record<string, unknown> | undefined>;
  findByUid(uid: string): Promise<Record<string, unknown> | undefined>;
  findByUserCode(userCode: string): Promise<Record<string, unknown> | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

const json: z.ZodType<JsonValue> = z.json();
const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json);
const REPLAY = 'ReplayDetection';
/**
 * The library takes proofs that are up to 300 seconds ahead of its clock and remembers them for as long: one from
 * ahead would be fresh again when it is forgotten.
 */
const REPLAY_MARGIN_MS = 300_000;

/**
 * Stores one model of oidc-provider. The library reads first and writes then, which lets a proof, an
 * assertion or a code pass twenty times when it comes twenty times at once; here the write itself decides.
 */
export function modelAdapter(
  model: string,
  o: { readonly rows: OidcStore; readonly clock: Clock },
): ModelAdapter {
  const { rows, clock } = o;
  return {
    async upsert(id, payload, expiresInSeconds) {
      const now = clock.now();
      const margin = model === REPLAY ? REPLAY_MARGIN_MS : 0;
      const expiresAt = expiresInSeconds === undefined ? null : now + expiresInSeconds * 1000 + margin;
      const row = toRow(model, id, payload, expiresAt);
      if (model !== REPLAY) return rows.upsert(row);
      if (!(await rows.insertIfAbsent(row, now))) throw usedBefore();
    },
    find: async (id) => fromRow(await rows.find(model, id, clock.now())),
    findByUid: async (uid) => fromRow(await rows.findByUid(model, uid, clock.now())),
    findByUserCode: async (userCode) => fromRow(await rows.findByUserCode(model, userCode, clock.now())),
    async consume(id) {
      if (!(await rows.consume(model, id, clock.now()))) throw usedBefore();
    },
    destroy: (id) => rows.destroy(model, id),
    revokeByGrantId: (grantId) => rows.revokeByGrantId(model, grantId),
  };
}

function usedBefore(): OAuthFault {
  return new OAuthFault('invalid_grant', 'a proof, an assertion or a code was used before');
}

function toRow(model: string, id: string, payload: Payload, expiresAt: number | null): OidcRow {
  return {
    model,
    id,
    payload: jsonObject.parse(JSON.parse(JSON.stringify(payload))),
    grantId: textOf(payload.grantId),
    userCode: textOf(payload.userCode),
    uid: textOf(payload.uid),
    expiresAt,
    consumedAt: null,
  };
}

function fromRow(row: OidcRow | null): Record<string, unknown> | undefined {
  if (row === null) return undefined;
  return row.consumedAt === null
    ? { ...row.payload }
    : { ...row.payload, consumed: Math.floor(row.consumedAt / 1000) };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
