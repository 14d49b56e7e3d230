import { randomBytes } from 'node:crypto';
import { type AuditEvent, type Clock, newId, Refusal, SecretBytes } from '../../core/index.ts';
import { INSTRUCT_SCOPE, INTROSPECT_SCOPE, readAgentDraft } from '../agent-input.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';
import type { Pepper } from '../pepper.ts';
import type { EnrolmentStore, InitialTokenRecord } from './store.ts';

const PREFIX = 'spit_';
const FORM = /^spit_[A-Za-z0-9_-]{43}$/;
const TOKEN_BYTES = 32;
const MOST_USES = 10_000;
const LONGEST_MS = 366 * 24 * 3600 * 1000;
const LABEL = 'initial-token';
/** Rights that an administrator gives to one client by name, never to whoever holds a token. */
const RESERVED = new Set([INTROSPECT_SCOPE, INSTRUCT_SCOPE]);

/** What may be known of a token: never the token, never its hash. */
export type InitialTokenView = Omit<InitialTokenRecord, 'hash'>;

export interface NewInitialToken {
  readonly name: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly maxUses: number;
  /** Milliseconds since the epoch; at most a year away. */
  readonly expiresAt: number;
}

/** Tokens with which agents register themselves: an administrator says for whom, what for and how often. */
export interface InitialTokens {
  /** The token is shown this once. Throws Refusal: input_invalid, conflict (the name is taken). */
  create(
    wanted: NewInitialToken,
    by: string,
  ): Promise<{ readonly view: InitialTokenView; readonly token: SecretBytes }>;
  list(): Promise<InitialTokenView[]>;
  /** Registers nobody from then on; those who registered with it stay. Throws Refusal('not_found'). */
  delete(id: string, by: string): Promise<void>;
}

export interface InitialTokensOptions {
  readonly tenant: string;
  readonly store: EnrolmentStore;
  readonly pepper: Pepper;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/** Kept as peppered hashes of 256 random bits; uses are counted in the transaction that registers. */
export class InitialTokenRoom implements InitialTokens {
  readonly #o: InitialTokensOptions;

  constructor(o: InitialTokensOptions) {
    this.#o = o;
  }

  async create(wanted: NewInitialToken, by: string) {
    const { tenant, store, clock, pepper } = this.#o;
    const now = clock.now();
    const { name, owner, scopes, maxUses, expiresAt } = wanted;
    await readAgentDraft({ name, owner, scopes });
    const errors = [
      ...scopes
        .filter((scope) => RESERVED.has(scope))
        .map((scope) => `scopes: ${scope} is given by name alone`),
      ...(Number.isInteger(maxUses) && maxUses >= 1 && maxUses <= MOST_USES
        ? []
        : [`maxUses: 1 to ${MOST_USES}`]),
      ...(expiresAt > now && expiresAt <= now + LONGEST_MS
        ? []
        : ['expiresAt: in the future, within a year']),
    ];
    if (errors.length > 0)
      throw new Refusal('input_invalid', { detail: errors.join('; '), extra: { errors } });
    const token = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const record: InitialTokenRecord = {
      tenant,
      id: newId('token', now),
      name,
      hash: pepper.hashToken(LABEL, [token]),
      owner,
      scopes: [...scopes],
      maxUses,
      used: 0,
      createdAt: now,
      createdBy: by,
      expiresAt,
    };
    if (!(await store.insertInitialToken(record))) {
      throw new Refusal('conflict', { detail: `There is an initial token named ${name} already.` });
    }
    await this.#record('initial_token.created', record.id, by, { name, owner, scopes, maxUses, expiresAt });
    return { view: viewOf(record), token: SecretBytes.fromUtf8(token) };
  }

  async list(): Promise<InitialTokenView[]> {
    return (await this.#o.store.initialTokens(this.#o.tenant)).map(viewOf);
  }

  async delete(id: string, by: string): Promise<void> {
    const { tenant, store } = this.#o;
    if (!(await store.deleteInitialToken(tenant, id))) {
      throw new Refusal('not_found', { detail: 'No initial token has this id.' });
    }
    await this.#record('initial_token.deleted', id, by, {});
  }

  /** The live token that this text is. Throws OAuthFault('invalid_token'), the same for all that are not. */
  async find(text: string): Promise<InitialTokenRecord> {
    const { store, pepper, clock, tenant } = this.#o;
    const found = FORM.test(text) ? await store.initialTokenByHash(pepper.hashToken(LABEL, [text])) : null;
    const live = found !== null && found.tenant === tenant && found.expiresAt > clock.now();
    if (!live || found.used >= found.maxUses) throw notTaken();
    return found;
  }

  /** Counts a use, in the transaction that registers: of twenty at once, one gets the last. */
  async use(stores: PassportStores, { tenant, id }: InitialTokenRecord): Promise<void> {
    if (!(await stores.enrolment.useInitialToken(tenant, id, this.#o.clock.now()))) throw notTaken();
  }

  async #record(
    type: 'initial_token.created' | 'initial_token.deleted',
    id: string,
    by: string,
    changes: Readonly<Record<string, string | number | readonly string[]>>,
  ): Promise<void> {
    const { tenant, clock, audit } = this.#o;
    await audit({ type, tenant, at: clock.now(), data: { id, by, changes } });
  }
}

function viewOf({ hash: _hash, ...view }: InitialTokenRecord): InitialTokenView {
  return view;
}

function notTaken(): OAuthFault {
  return new OAuthFault('invalid_token', 'the initial access token is not known, has expired or is used up');
}
