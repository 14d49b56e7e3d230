import { createHash } from 'node:crypto';
import { LIMITS, type PresentedPassport, Refusal } from '../core/index.ts';
import { ProofFault, type VerifiedProof, verifyDpopProof } from '../proof/index.ts';
import type { CallCounter, CountedCall } from './call-counter.ts';
import { sha256, signatureVerifier } from './crypto.ts';
import type { Nonces } from './nonces.ts';
import type { PassportReader } from './passport-reader.ts';
import type { ReplayStore } from './store.ts';
import { VerifiedPassport } from './verified-passport.ts';

/** How old a proof may be, and how far its maker's clock may run before ours. */
export const PROOF_MAX_AGE_SECONDS = 120;
export const PROOF_MAX_AHEAD_SECONDS = 10;
const LOADED_KEYS = 4096;

export interface PassportVerifier {
  /**
   * Checks a passport and its binding for one call at `now` (ms). Each proof passes once. Throws Refusal:
   * passport_*, proof_*, agent_quarantined; `proof_nonce` carries the nonce to use as `extra.dpopNonce`.
   */
  verify(presented: PresentedPassport | null, now: number): Promise<VerifiedPassport>;
  /**
   * Asks again, from memory alone, whether the passport still stands: for each request inside a tunnel and
   * each event of a stream. Throws Refusal: passport_expired, passport_revoked, agent_quarantined.
   */
  recheck(passport: VerifiedPassport, now: number): void;
  /**
   * Counts one call against every limit of the first of these details (by index) that has room; null, and nothing
   * counted, when none has. A passport without details has nothing to count.
   */
  count(passport: VerifiedPassport, details: readonly number[]): Promise<CountedCall | null>;
  /** The value for the DPoP-Nonce field of answers, or null where no nonce is asked for. */
  nonce(now: number): string | null;
}

export interface VerifierOptions {
  readonly reader: PassportReader;
  /** The gateway: a passport for another resource server is not for it. */
  readonly audience: string;
  readonly replay: ReplayStore;
  /** Outlives the process; asked for proofs from the future alone. */
  readonly durableReplay: ReplayStore;
  /** `loopback`: passports without a binding are taken from the loopback interface. */
  readonly bearer: 'never' | 'loopback';
  /** Null: no nonce is asked for. */
  readonly nonces: Nonces | null;
  readonly counter: CallCounter;
  /**
   * A whole second (ms). Proofs from before are refused: what was seen then is not known
   * (rule 11 of docs/guarantees.md).
   */
  readonly startedAt: number;
}

export function openVerifier(o: VerifierOptions): PassportVerifier {
  const verifySignature = signatureVerifier(LOADED_KEYS);
  const issued = new WeakMap<VerifiedPassport, Parameters<PassportReader['assertCurrent']>[0]>();

  async function checkProof(presented: PresentedPassport, now: number): Promise<VerifiedProof> {
    const [proof, ...more] = presented.proofs;
    if (proof === undefined) throw new Refusal('proof_missing');
    if (more.length > 0) throw new Refusal('proof_invalid', { detail: 'There is more than one proof.' });
    const { nonces } = o;
    const verified = await verifyDpopProof(
      proof,
      {
        htm: presented.htm,
        htu: presented.htu,
        accessToken: presented.token,
        now,
        maxAgeSeconds: PROOF_MAX_AGE_SECONDS,
        maxAheadSeconds: PROOF_MAX_AHEAD_SECONDS,
        checkNonce: nonces === null ? null : (nonce) => nonces.isCurrent(nonce, now),
      },
      { verifySignature, sha256 },
    ).catch((cause: unknown) => {
      throw proofRefusal(cause, nonces?.current(now));
    });
    if (verified.iat * 1000 < o.startedAt) {
      throw new Refusal('proof_invalid', { detail: 'The proof is older than the start of the gate.' });
    }
    return verified;
  }

  async function useProof(proof: VerifiedProof, now: number): Promise<void> {
    const entry = {
      kind: 'dpop',
      // The jti is the client's own text, so it is hashed: its length and content stay ours.
      key: `${proof.jkt}.${createHash('sha256').update(proof.jti).digest('base64url')}`,
      expiresAt: (Math.ceil(proof.iat) + PROOF_MAX_AGE_SECONDS + 1) * 1000,
    };
    if (!(await o.replay.insertIfAbsent(entry, now))) throw new Refusal('proof_replayed');
    if (proof.iat * 1000 <= now) return;
    // Its maker's clock runs ahead, so that after a quick restart it would not look like one from before.
    const early = { ...entry, kind: 'dpop-early' };
    if (!(await o.durableReplay.insertIfAbsent(early, now))) throw new Refusal('proof_replayed');
  }

  return {
    async verify(presented, now) {
      if (presented === null) throw new Refusal('passport_missing');
      if (presented.token.length > LIMITS.passportChars) {
        throw new Refusal('passport_invalid', { detail: 'The passport is too long.' });
      }
      const read = await o.reader.read(presented.token, now);
      if (!read.claims.aud.includes(o.audience)) throw new Refusal('passport_audience');
      const { jkt, x5t } = read.claims;
      if (x5t !== null) assertShownByCertificate(presented, x5t);
      else if (jkt === null) assertUnboundIsTaken(presented, o.bearer);
      else {
        if (presented.scheme !== 'DPoP') {
          // A stolen passport shown without its key: the binding is the point of it (RFC 9449 section 7.2).
          throw new Refusal('passport_invalid', {
            detail: 'A bound passport is shown with the DPoP scheme.',
          });
        }
        const proof = await checkProof(presented, now);
        if (proof.jkt !== jkt) {
          throw new Refusal('passport_invalid', { detail: 'The passport is bound to another key.' });
        }
        await useProof(proof, now);
      }
      // Revocations may have come in while the proof was checked and written.
      o.reader.assertCurrent(read);
      const passport = new VerifiedPassport(read);
      issued.set(passport, read);
      return passport;
    },
    recheck(passport, now) {
      const read = issued.get(passport);
      if (read === undefined) throw new TypeError('recheck takes a passport that this verifier returned');
      if (passport.expiresAt <= now) throw new Refusal('passport_expired');
      o.reader.assertCurrent(read);
    },
    count: (passport, details) => o.counter.count(passport, details),
    nonce: (now) => o.nonces?.current(now) ?? null,
  };
}

/** RFC 8705 section 3: the connection that it came on was made with the certificate's key. */
function assertShownByCertificate(presented: PresentedPassport, x5t: string): void {
  if (presented.scheme !== 'Bearer') {
    throw new Refusal('passport_invalid', {
      detail: 'The passport is bound to a certificate, not to a key of a proof.',
    });
  }
  if (presented.x5t !== x5t) {
    throw new Refusal('passport_invalid', {
      detail: 'The passport is bound to another TLS client certificate.',
    });
  }
}

function assertUnboundIsTaken(presented: PresentedPassport, bearer: VerifierOptions['bearer']): void {
  if (presented.scheme === 'DPoP') {
    throw new Refusal('passport_invalid', { detail: 'The passport is not bound to the key of the proof.' });
  }
  if (bearer !== 'loopback' || !presented.loopback) throw new Refusal('passport_unbound');
}

function proofRefusal(cause: unknown, nonce: string | undefined): unknown {
  if (!(cause instanceof ProofFault)) return cause;
  if (cause.code === 'nonce' && nonce !== undefined) {
    return new Refusal('proof_nonce', { cause, extra: { dpopNonce: nonce } });
  }
  return new Refusal('proof_invalid', { detail: cause.message, cause });
}
