import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/index.ts';
import { keyFits, type PublicJwk, parsePublicJwk } from '../../proof/index.ts';
import { signatureVerifier } from '../crypto.ts';
import type { OnceOnly } from '../grants/once.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Pepper } from '../pepper.ts';
import type { AgentRecord } from '../store.ts';

const LIFETIME_MS = 5 * 60_000;
const MARGIN_MS = 60_000;
const FORM = /^([0-9a-z]{8,10})\.([A-Za-z0-9_-]{22})$/;
const RANDOM_BYTES = 16;
const SIGNATURE = /^[A-Za-z0-9+/]{86}==$/;
const verifySignature = signatureVerifier(1024);

export interface Challenge {
  readonly challengeId: string;
  /** 32 bytes in base64: the text that is signed. */
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Challenges for agents that sign a nonce with their Ed25519 key. A nonce is made of the challenge's id and a key of
 * ours, so that nothing is stored until an answer is right: whoever asks for a million of them fills no table, and
 * learns nothing about which agents there are.
 */
export class Challenges {
  readonly #key: Pepper;
  readonly #clock: Clock;

  constructor(o: { readonly pepper: Pepper; readonly clock: Clock }) {
    this.#key = o.pepper;
    this.#clock = o.clock;
  }

  /** For any id, whether there is such an agent or not. */
  make(agentId: string): Challenge {
    const expiresAt = this.#clock.now() + LIFETIME_MS;
    const challengeId = `${expiresAt.toString(36)}.${randomBytes(RANDOM_BYTES).toString('base64url')}`;
    return { challengeId, nonce: this.#nonceOf(agentId, challengeId), expiresAt };
  }

  /**
   * The key of the agent that signed the challenge, and what makes the answer count once. Throws
   * OAuthFault('invalid_grant').
   */
  check(
    agent: AgentRecord,
    { challengeId, signatureB64 }: { readonly challengeId: string; readonly signatureB64: string },
  ): { readonly key: PublicJwk; readonly kid: string; readonly once: OnceOnly } {
    const expiresAt = Number.parseInt(FORM.exec(challengeId)?.[1] ?? '', 36);
    const now = this.#clock.now();
    if (!(expiresAt > now && expiresAt <= now + LIFETIME_MS)) {
      throw refused('the challenge is not one of ours, or has expired');
    }
    if (!SIGNATURE.test(signatureB64)) throw refused('the signature is not 64 bytes in base64');
    const data = Buffer.from(this.#nonceOf(agent.id, challengeId), 'utf8');
    const signature = Buffer.from(signatureB64, 'base64');
    for (const stored of agent.jwks) {
      const key = parsePublicJwk(stored);
      if (key.kid === null || !keyFits(key, 'EdDSA')) continue;
      if (!verifySignature({ algorithm: 'EdDSA', key, data, signature })) continue;
      const fault = () => refused('the challenge was answered before');
      const once = { by: `challenge ${agent.id}`, jti: challengeId, expiresAt: expiresAt + MARGIN_MS, fault };
      return { key, kid: key.kid, once };
    }
    throw refused('the signature is not by a key of the agent');
  }

  #nonceOf(agentId: string, challengeId: string): string {
    const text = this.#key.hashToken('challenge', [agentId, challengeId]);
    return Buffer.from(text, 'base64url').toString('base64');
  }
}

function refused(description: string): OAuthFault {
  return new OAuthFault('invalid_grant', description);
}
