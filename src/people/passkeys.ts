import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import { z } from 'zod';
import type { Clock, JsonObject } from '../core/index.ts';
import type { PasskeyRecord, PeopleStore, UserRecord } from './store.ts';
import type { Tickets } from './tickets.ts';

/** ES256, EdDSA, RS256 (COSE). */
const ALGORITHMS = [-7, -8, -257];
const CHALLENGE = 'challenge';
const CREDENTIAL_CHARS = 12 * 1024;
const TIMEOUT_MS = 5 * 60_000;

/** A passkey was not taken; the message is for the log. */
export class PasskeyFault extends Error {
  /** Whose passkey it is, where that is known. */
  readonly userId: string | null;

  constructor(message: string, o: ErrorOptions & { readonly userId?: string } = {}) {
    super(message, o);
    this.userId = o.userId ?? null;
  }
}

const text = z.string().min(1).max(CREDENTIAL_CHARS);
const id = z.string().regex(/^[\w-]{1,1400}$/);
const registration = z.object({
  id,
  rawId: id,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: text,
    attestationObject: text,
    transports: z.array(z.string().max(32)).max(8).default([]),
  }),
});
const assertion = z.object({
  id,
  rawId: id,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: text,
    authenticatorData: text,
    signature: text,
    userHandle: z.string().max(128).nullish(),
  }),
});

export interface PasskeysOptions {
  readonly tenant: string;
  /** The one origin that passkeys are made and used at. */
  readonly origin: string;
  readonly store: PeopleStore;
  readonly tickets: Tickets;
  readonly clock: Clock;
}

/** WebAuthn (Level 3): what browsers are asked, and whether what they answer is good. */
export class Passkeys {
  readonly #o: PasskeysOptions;
  readonly #host: string | null;

  constructor(o: PasskeysOptions) {
    this.#o = o;
    this.#host = relyingPartyOf(o.origin);
  }

  /** Browsers have passkeys for names alone, with TLS or on this machine. */
  get arePossible(): boolean {
    return this.#host !== null;
  }

  /** For `navigator.credentials.create`. */
  creation(user: UserRecord, known: readonly PasskeyRecord[], ticket: string): JsonObject {
    return {
      rp: { id: this.#host, name: 'Sallyport' },
      user: { id: handleOf(user), name: user.name, displayName: user.displayName },
      challenge: this.#o.tickets.derive(CHALLENGE, ticket),
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      excludeCredentials: known.map(toDescriptor),
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      attestation: 'none',
      timeout: TIMEOUT_MS,
    };
  }

  /** For `navigator.credentials.get`; without `known` any passkey that the browser has for us. */
  request(known: readonly PasskeyRecord[], ticket: string): JsonObject {
    return {
      rpId: this.#host,
      challenge: this.#o.tickets.derive(CHALLENGE, ticket),
      allowCredentials: known.map(toDescriptor),
      userVerification: 'required',
      timeout: TIMEOUT_MS,
    };
  }

  /** What a browser made for this ticket. Uses the ticket up. Throws PasskeyFault. */
  async readNew(user: UserRecord, ticket: string, answer: string, label: string): Promise<PasskeyRecord> {
    const { tenant, clock } = this.#o;
    const shown = parsed(registration, answer);
    const { credential } = await this.#verifyNew(shown, ticket);
    await this.#use(ticket);
    return {
      tenant,
      id: credential.id,
      userId: user.id,
      publicKey: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      transports: shown.response.transports,
      label,
      createdAt: clock.now(),
      usedAt: null,
    };
  }

  /**
   * Whose passkey answered this ticket; `only`: of nobody else. Uses the ticket up. Throws PasskeyFault, also for a
   * counter that went back: then there are two of it, and one of them is a copy.
   */
  async prove(ticket: string, answer: string, only: UserRecord | null): Promise<UserRecord> {
    const { tenant, store, clock } = this.#o;
    const shown = parsed(assertion, answer);
    const passkey = await store.passkey(tenant, shown.id);
    if (passkey === null) throw new PasskeyFault('the passkey is unknown');
    const user = await store.user(tenant, passkey.userId);
    if (user === null || (only !== null && only.id !== user.id)) {
      throw new PasskeyFault('the passkey is another user’s');
    }
    const { userHandle } = shown.response;
    if (userHandle != null && userHandle !== handleOf(user)) {
      throw new PasskeyFault('the passkey says that it is another user’s');
    }
    const counter = await this.#verify(shown, passkey, ticket);
    if ((counter > 0 || passkey.counter > 0) && counter <= passkey.counter) {
      throw new PasskeyFault('the counter of the passkey went back: there may be a copy of it', {
        userId: user.id,
      });
    }
    await this.#use(ticket);
    const used = { from: passkey.counter, to: counter, now: clock.now() };
    if (!(await store.usePasskey(passkey, used))) throw new PasskeyFault('the passkey was used elsewhere');
    if (user.status !== 'active') throw new PasskeyFault('disabled', { userId: user.id });
    return user;
  }

  async #verifyNew(shown: z.infer<typeof registration>, ticket: string) {
    try {
      assertNothingToFetch(shown.response.attestationObject);
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: shown as unknown as RegistrationResponseJSON,
        ...this.#expected(ticket),
        supportedAlgorithmIDs: ALGORITHMS,
      });
      if (verified) return registrationInfo;
    } catch (cause) {
      throw cause instanceof PasskeyFault ? cause : new PasskeyFault('what it says is not good', { cause });
    }
    throw new PasskeyFault('its signature is not good');
  }

  /** The counter that it tells. */
  async #verify(shown: z.infer<typeof assertion>, passkey: PasskeyRecord, ticket: string): Promise<number> {
    const publicKey = new Uint8Array(Buffer.from(passkey.publicKey, 'base64url'));
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: shown as unknown as AuthenticationResponseJSON,
        ...this.#expected(ticket),
        // Its counter is looked at here, where one that went back gets a name.
        credential: { id: passkey.id, publicKey, counter: 0 },
      });
      if (verified) return authenticationInfo.newCounter;
    } catch (cause) {
      throw new PasskeyFault('what it says is not good', { cause });
    }
    throw new PasskeyFault('its signature is not good');
  }

  #expected(ticket: string) {
    if (this.#host === null) throw new PasskeyFault('there are no passkeys at this address');
    return {
      expectedChallenge: this.#o.tickets.derive(CHALLENGE, ticket),
      expectedOrigin: this.#o.origin,
      expectedRPID: this.#host,
      requireUserVerification: true,
    };
  }

  async #use(ticket: string): Promise<void> {
    if (!(await this.#o.tickets.use(ticket))) throw new PasskeyFault('the question was answered before');
  }
}

/** An IP address is no name, and plain HTTP is for this machine alone. */
function relyingPartyOf(origin: string): string | null {
  const { protocol, hostname } = new URL(origin);
  if (/^[\d.]+$|^\[/.test(hostname)) return null;
  return protocol === 'https:' || hostname === 'localhost' ? hostname : null;
}

/** No name and no address: authenticators show it to whoever asks. */
function handleOf({ id: userId }: UserRecord): string {
  return Buffer.from(userId).toString('base64url');
}

function toDescriptor({ id: passkeyId, transports }: PasskeyRecord): JsonObject {
  return { type: 'public-key', id: passkeyId, transports: [...transports] };
}

/**
 * We ask for no attestation. One with certificates would have the library follow their addresses, which are whatever
 * the sender wrote.
 */
function assertNothingToFetch(attestation: string): void {
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestation, 'base64url')));
  const plain = decoded.get('fmt') === 'none';
  const ofItself = decoded.get('fmt') === 'packed' && decoded.get('attStmt').get('x5c') === undefined;
  if (!plain && !ofItself) throw new PasskeyFault('it has an attestation that nobody asked for');
}

function parsed<T>(schema: z.ZodType<T>, answer: string): T {
  if (answer.length > CREDENTIAL_CHARS) throw new PasskeyFault('it is too long');
  try {
    return schema.parse(JSON.parse(answer));
  } catch (cause) {
    throw new PasskeyFault('it can not be read', { cause });
  }
}
