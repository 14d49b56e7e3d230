import { decodeJwt } from 'jose';
import { crossesNetworkInClear } from '../clear-text.ts';
import type { Trust } from '../trust.ts';
import { RelayFault } from './fault.ts';
import { IssuerClient, type Passport } from './issuer.ts';
import type { RelayOptions } from './options.ts';
import { ProofKey } from './proof-key.ts';

/** Renewal begins when this share of the lifetime is over. */
const RENEW_AFTER = 2 / 3;
/** A passport with less than this left is not shown any more: it could expire on the way. */
const USELESS_BEFORE_EXPIRY_MS = 2_000;
/** After a failure the issuer is left alone for so long. */
const RETRY_AFTER_MS = 1_000;

/** The two header values with which a call is made. */
export interface Credentials {
  /** `DPoP <passport>`. */
  readonly authorization: string;
  readonly proof: string;
}

/**
 * Holds the passport and its key, and renews it before it expires. Many calls at once share one request to
 * the issuer.
 */
export class PassportHolder {
  readonly gateway: URL;
  readonly trust: Trust;
  readonly #issuer: IssuerClient;
  readonly #proofKey: ProofKey;
  readonly #scope: { readonly scope?: string };
  readonly #onNotice: (sentence: string) => void;
  /** What was passed on by another agent can be used once. */
  readonly #renewable: boolean;
  #passport: (Passport & { readonly renewAt: number }) | null = null;
  #pending: Promise<Passport> | null = null;
  #failure: { readonly fault: unknown; readonly at: number } | null = null;

  private constructor(options: RelayOptions, proofKey: ProofKey) {
    this.gateway = new URL(new URL(options.gatewayUrl).origin);
    this.trust = options.trust ?? null;
    this.#proofKey = proofKey;
    this.#issuer = new IssuerClient({ ...options, proofKey });
    this.#scope = options.scope === undefined ? {} : { scope: options.scope };
    this.#onNotice = options.onNotice ?? (() => {});
    this.#renewable = options.delegation === undefined;
  }

  /**
   * Makes the key and gets the first passport, so that a relay that started can work. Throws RelayFault, also for
   * plain http to another machine.
   */
  static async open(options: RelayOptions): Promise<PassportHolder> {
    refuseClearText('gateway', options.gatewayUrl);
    refuseClearText('issuer', options.issuerUrl);
    const holder = new PassportHolder(options, await ProofKey.generate());
    await holder.#current();
    return holder;
  }

  /** Passport and a fresh proof for one request to the gateway. Throws RelayFault. */
  async credentials(request: { readonly htm: string; readonly htu: string }): Promise<Credentials> {
    const { token } = await this.#current();
    const proof = await this.#proofKey.prove({ ...request, server: this.gateway.origin, passport: token });
    return { authorization: `DPoP ${token}`, proof };
  }

  /** The session (`sid`) of the passport that is held now. Throws RelayFault. */
  async session(): Promise<string> {
    const { sid } = decodeJwt((await this.#current()).token);
    return typeof sid === 'string' ? sid : '';
  }

  /** True when the gateway named a nonce that we did not know: the refused request is worth one more try. */
  learnNonce(nonce: string | null | undefined): boolean {
    return this.#proofKey.learnNonce(this.gateway.origin, nonce);
  }

  async #current(): Promise<Passport> {
    const now = Date.now();
    const held = this.#passport;
    if (held === null || held.expiresAt - USELESS_BEFORE_EXPIRY_MS <= now) return this.#renew(now);
    if (held.renewAt <= now) {
      // The old one still serves; a failure shows when it no longer does.
      this.#renew(now).catch(() => {});
    }
    return held;
  }

  #renew(now: number): Promise<Passport> {
    if (this.#pending !== null) return this.#pending;
    if (this.#failure !== null && now - this.#failure.at < RETRY_AFTER_MS) {
      return Promise.reject(this.#failure.fault);
    }
    this.#pending = this.#issuer
      .request({ resource: this.gateway.origin, ...this.#scope })
      .then(
        (passport) => {
          this.#passport = {
            ...passport,
            renewAt: this.#renewable
              ? now + (passport.expiresAt - now) * RENEW_AFTER
              : Number.POSITIVE_INFINITY,
          };
          this.#failure = null;
          return passport;
        },
        (fault: unknown) => {
          this.#failure = { fault, at: Date.now() };
          if (this.#passport !== null) this.#onNotice(`the passport was not renewed: ${sentenceOf(fault)}`);
          throw fault;
        },
      )
      .finally(() => {
        this.#pending = null;
      });
    return this.#pending;
  }
}

/**
 * Who stands between the agent and a gateway that is not behind TLS could hand out a certificate authority of his
 * own, and read from then on whatever the agent sends to its hosts.
 */
function refuseClearText(what: string, url: string): void {
  if (!crossesNetworkInClear(new URL(url))) return;
  throw new RelayFault(
    'plain_http',
    `the ${what} at ${url} would be spoken to in the clear across a network; use https, or a tunnel to this machine`,
  );
}

export function sentenceOf(fault: unknown): string {
  if (fault instanceof RelayFault) return fault.message;
  return fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault);
}
