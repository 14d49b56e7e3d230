import { type JsonObject, toSeconds } from '../core/index.ts';
import { GateClient, type ToolCallReport, type ToolDecision } from './gate-client.ts';
import { KeyRatchet } from './key-ratchet.ts';
import { digestOf, ProofMaker } from './proof-maker.ts';
import { type PrivateJwk, SigningKey } from './signing-key.ts';
import { type ClientCredential, type IssuedPassport, TokenClient } from './token-client.ts';

/** A renewal begins when this share of the lifetime is over. */
const RENEW_AFTER = 2 / 3;
/** One with less left could expire on its way. */
const USELESS_MS = 2_000;
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

export interface AgentOptions {
  /** The issuer identifier: the URL of the control plane, such as `http://127.0.0.1:8470`. */
  readonly issuer: string;
  /** The URL of the gateway, such as `http://127.0.0.1:8471`. */
  readonly gate: string;
  /** The agent's id. */
  readonly clientId: string;
  /** The agent's private key, as `sallyport agent add` keeps it; its client secret; or a key that gives way. */
  readonly key: PrivateJwk | { readonly secret: string } | KeyRatchet;
  /** What passports are asked to be for; without it, all that the agent may have. */
  readonly wanted?: WantedGrant;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

/** What a passport is asked to be for. Everything narrows. */
export interface WantedGrant {
  readonly scope?: string;
  /** `tool_call` details (docs/reference/passport.md). */
  readonly authorizationDetails?: readonly JsonObject[];
  readonly maxDepth?: number;
  readonly lifetimeSeconds?: number;
}

/** What one agent hands to another: worth nothing without the other one's key. */
export interface Delegation {
  readonly subjectToken: string;
  readonly subjectProof: string;
}

/**
 * An agent with a passport that renews itself. Calls go through the gate with `fetch`; `passOn` and `actFor` pass
 * rights from one agent to another. Runs wherever WebCrypto and fetch are.
 */
export class Agent {
  readonly clientId: string;
  readonly #o: AgentOptions;
  readonly #tokens: TokenClient;
  readonly #proofs: ProofMaker;
  readonly #gate: GateClient;
  /** Null: passports are the agent's own; else they come by exchange, once. */
  readonly #delegation: Delegation | null;
  #held: (IssuedPassport & { readonly renewAt: number }) | null = null;
  #pending: Promise<IssuedPassport> | null = null;

  private constructor(
    o: AgentOptions,
    credential: ClientCredential,
    proofKey: SigningKey,
    from: Delegation | null,
  ) {
    const { issuer, clientId } = o;
    // Called with the right `this`: a bare fetch of some runtimes is a method of its global.
    const send: typeof fetch = (...given) => (o.fetch ?? fetch)(...given);
    const now = o.now ?? (() => Date.now());
    this.clientId = clientId;
    this.#o = o;
    this.#delegation = from;
    this.#proofs = new ProofMaker(proofKey, now);
    this.#tokens = new TokenClient({
      issuer,
      clientId,
      credential,
      proofs: this.#proofs,
      fetch: send,
      now,
    });
    this.#gate = new GateClient({
      gate: o.gate,
      proofs: this.#proofs,
      fetch: send,
      token: async (stale) => (await this.passport(stale)).token,
    });
  }

  /** Makes a key for proofs and gets the first passport. Throws SdkFault, TypeError for a key that is none. */
  static async open(o: AgentOptions): Promise<Agent> {
    return Agent.#open(o, null);
  }

  /**
   * The same agent, acting with what another agent passed on to it (token exchange, RFC 8693). It lives as long as
   * what was passed on, and is not renewed. Throws SdkFault.
   */
  async actFor(delegation: Delegation, wanted: WantedGrant = {}): Promise<Agent> {
    return Agent.#open({ ...this.#o, wanted }, delegation);
  }

  static async #open(o: AgentOptions, from: Delegation | null): Promise<Agent> {
    const agent = new Agent(o, await credentialOf(o.key), await SigningKey.generate(), from);
    await agent.passport();
    return agent;
  }

  /** The passport of the moment, renewed in time. `stale`: a token that was not taken any more. Throws SdkFault. */
  async passport(stale?: string): Promise<IssuedPassport> {
    const now = this.#now();
    const held = this.#held;
    if (held === null || held.token === stale || held.expiresAt - USELESS_MS <= now) return this.#renew(now);
    // The old one still serves; a failure shows when it no longer does.
    if (held.renewAt <= now) this.#renew(now).catch(() => {});
    return held;
  }

  /** `fetch` through the gate: `agent.fetch('/s/github/user')`. See GateClient. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    return this.#gate.fetch(input, init);
  }

  /** May this tool call run? */
  decide(call: ToolCallReport): Promise<ToolDecision> {
    return this.#gate.decide(call);
  }

  /** Tells the gate what a tool answered, before the model reads it. */
  observe(call: ToolCallReport & { readonly text: string }) {
    return this.#gate.observe(call);
  }

  /** Passes on to one agent what this one's passport grants, or less. Hand the result to that agent; it works once. */
  async passOn(to: string, narrower: WantedGrant & { readonly notAfter?: number } = {}): Promise<Delegation> {
    const { token } = await this.passport();
    const { scope, authorizationDetails, maxDepth, notAfter, lifetimeSeconds } = narrower;
    const iat = toSeconds(this.#now());
    const ends = notAfter ?? (lifetimeSeconds === undefined ? undefined : iat + lifetimeSeconds);
    const subjectProof = await this.#proofs.key.sign(
      { typ: 'delegation+jwt', jwk: this.#proofs.key.publicJwk },
      {
        aud: this.#o.issuer,
        ath: await digestOf(token),
        act: { sub: to },
        jti: crypto.randomUUID(),
        iat,
        ...(scope === undefined ? {} : { scope }),
        ...(authorizationDetails === undefined ? {} : { authorization_details: authorizationDetails }),
        ...(maxDepth === undefined ? {} : { max_depth: maxDepth }),
        ...(ends === undefined ? {} : { not_after: ends }),
      },
    );
    return { subjectToken: token, subjectProof };
  }

  #renew(now: number): Promise<IssuedPassport> {
    this.#pending ??= this.#tokens
      .request(this.#form())
      .then((passport) => {
        const renewAt =
          this.#delegation === null
            ? now + (passport.expiresAt - now) * RENEW_AFTER
            : Number.POSITIVE_INFINITY;
        this.#held = { ...passport, renewAt };
        return passport;
      })
      .finally(() => {
        this.#pending = null;
      });
    return this.#pending;
  }

  #form(): Record<string, string> {
    const { scope, authorizationDetails, maxDepth, lifetimeSeconds } = this.#o.wanted ?? {};
    const wanted = {
      ...(scope === undefined ? {} : { scope }),
      ...(authorizationDetails === undefined
        ? {}
        : { authorization_details: JSON.stringify(authorizationDetails) }),
      ...(maxDepth === undefined ? {} : { max_depth: String(maxDepth) }),
      ...(lifetimeSeconds === undefined ? {} : { requested_lifetime: String(lifetimeSeconds) }),
    };
    if (this.#delegation === null) return { grant_type: 'client_credentials', ...wanted };
    const { subjectToken, subjectProof } = this.#delegation;
    return {
      grant_type: EXCHANGE,
      subject_token: subjectToken,
      subject_token_type: ACCESS_TOKEN,
      subject_proof: subjectProof,
      ...wanted,
    };
  }

  #now(): number {
    return (this.#o.now ?? Date.now)();
  }
}

async function credentialOf(key: AgentOptions['key']): Promise<ClientCredential> {
  if (key instanceof KeyRatchet) return { kind: 'ratchet', ratchet: key };
  if ('secret' in key) return { kind: 'secret', secret: key.secret };
  return { kind: 'key', key: await SigningKey.import(key) };
}
