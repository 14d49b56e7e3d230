import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock, JsonObject } from '../../core/index.ts';
import type { PassportStores } from '../options.ts';
import type { Pepper } from '../pepper.ts';
import type { OidcStore } from '../store.ts';

const QUESTION = 'ConsentQuestion';
const PUSHED = 'PushedAuthorizationRequest';
/** As long as a person may take to sign in and to decide. */
const QUESTION_MS = 15 * 60_000;
/** From pushing it to the browser that brings it (RFC 9126 section 2.2). */
export const PUSHED_MS = 90_000;
const ID_BYTES = 32;

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** How the answer gets to the agent. */
const way = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('code'),
    redirectUri: z.string(),
    state: z.string().nullable(),
    codeChallenge: z.string(),
    dpopJkt: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('device'), codeHash: z.string() }),
]);

const question = z.strictObject({
  way,
  clientId: z.string(),
  agentId: z.string(),
  scope: z.string(),
  audience: z.string(),
  asked: json,
  /** Keyed hash: who finds the address elsewhere can't go on with it. */
  browser: z.string(),
  /** The person has to sign in after this moment (ms); 0: whenever it was. */
  signedInAfter: z.number(),
});

/** What a person is asked in one browser. */
export type Question = z.infer<typeof question>;

export type AnswerWay = Question['way'];

const pushed = z.strictObject({ pairs: z.array(z.tuple([z.string(), z.string()])), agentId: z.string() });

type Pushed = z.infer<typeof pushed>;

/** Questions that wait for a person, and requests that wait for a browser. Each is answered once. */
export class Questions {
  readonly #o: {
    readonly tenant: string;
    readonly rows: OidcStore;
    readonly pepper: Pepper;
    readonly clock: Clock;
  };

  constructor(o: {
    readonly tenant: string;
    readonly rows: OidcStore;
    readonly pepper: Pepper;
    readonly clock: Clock;
  }) {
    this.#o = o;
  }

  /** Answers the id, which only this browser can use. */
  async ask(asked: Omit<Question, 'browser'>, browser: string): Promise<string> {
    const id = newId();
    const payload = { ...asked, browser: this.#browserHash(browser) };
    const row = this.#row(QUESTION, id, payload, QUESTION_MS);
    await this.#o.rows.upsert(row);
    return id;
  }

  /** Null for one that is not known, answered, over, or of another browser. */
  async find(id: string, browser: string): Promise<Question | null> {
    const { rows, clock } = this.#o;
    const row = await rows.find(QUESTION, this.#hash(id), clock.now());
    if (row === null || row.consumedAt !== null) return null;
    const found = question.parse(row.payload);
    return found.browser === this.#browserHash(browser) ? found : null;
  }

  /** In the transaction that answers: true for exactly one answer. */
  async take({ oidc }: PassportStores, id: string, now: number): Promise<boolean> {
    return oidc.consume(QUESTION, this.#hash(id), now);
  }

  /** In the transaction that uses the client's assertion up. */
  async push({ oidc }: PassportStores, asked: Pushed): Promise<string> {
    const id = newId();
    await oidc.upsert(this.#row(PUSHED, id, asked, PUSHED_MS));
    return id;
  }

  /** What was pushed, for exactly one browser; null for one that is not known, used or over. */
  async takePushed(id: string): Promise<Pushed | null> {
    const { rows, clock } = this.#o;
    const hash = this.#hash(id);
    const row = await rows.find(PUSHED, hash, clock.now());
    if (row === null || !(await rows.consume(PUSHED, hash, clock.now()))) return null;
    return pushed.parse(row.payload);
  }

  #row(model: string, id: string, payload: JsonObject, lifetimeMs: number) {
    const expiresAt = this.#o.clock.now() + lifetimeMs;
    const none = { grantId: null, userCode: null, uid: null, consumedAt: null };
    return { model, id: this.#hash(id), payload, expiresAt, ...none };
  }

  #hash(id: string): string {
    return this.#o.pepper.hashToken('question', [this.#o.tenant, id]);
  }

  #browserHash(browser: string): string {
    return this.#o.pepper.hashToken('question-browser', [browser]);
  }
}

function newId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
