import { type JsonObject, type JsonValue, Refusal } from '../core/index.ts';
import {
  jwkThumbprint,
  keyFits,
  ProofFault,
  type PublicJwk,
  parsePublicJwk,
  type SignatureAlgorithm,
} from '../proof/index.ts';
import { readCertificate } from './client-certificate.ts';
import { redirectFaults } from './consent/redirect-uri.ts';
import { sha256 } from './crypto.ts';
import type { AgentCertificate } from './store.ts';

/** What client assertions may be signed with. */
export const ASSERTION_ALGORITHMS: readonly SignatureAlgorithm[] = [
  'ES256',
  'EdDSA',
  'Ed25519',
  'PS256',
  'RS256',
];

/** The right to ask about every passport of the tenant (RFC 7662); it never stands in a passport. */
export const INTROSPECT_SCOPE = 'introspect';
/** States what the user asked an agent's session for (`POST /v1/observe`); goes with no other scope. */
export const INSTRUCT_SCOPE = 'session:instruct';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const SCOPE = /^[a-z0-9][a-z0-9-]{0,62}:[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const OWNER_CHARS = 200;
const PURPOSE_CHARS = 500;
const MOST_SCOPES = 64;
const MOST_KEYS = 16;

export interface AgentDraft {
  readonly name: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly purpose: string | null;
  /** https, or http to this machine (RFC 8252). */
  readonly redirectUris: readonly string[];
  readonly device: boolean;
  /** Public JWKs; those without a `kid` get their thumbprint as one. */
  readonly jwks: readonly JsonValue[];
  /** In PEM form. */
  readonly certificates: readonly string[];
  /** Whether its keys give way to another one with each use. */
  readonly ratchet: boolean;
}

/** As AgentDraft, with keys as they are stored; what is absent is not asked to change. */
export type ReadDraft = Partial<Omit<AgentDraft, 'jwks' | 'certificates'>> & {
  readonly jwks?: readonly JsonObject[];
  readonly certificates?: readonly AgentCertificate[];
};

/** Checks a draft or a part of one. Throws Refusal('input_invalid') with every fault in `extra.errors`. */
export async function readAgentDraft(draft: Partial<AgentDraft>): Promise<ReadDraft> {
  const errors: string[] = [];
  if (draft.name !== undefined && !NAME.test(draft.name)) {
    errors.push('name: 1 to 63 lower-case letters, digits and hyphens, not beginning with a hyphen');
  }
  if (draft.owner !== undefined && !isPlainText(draft.owner, OWNER_CHARS)) {
    errors.push(`owner: 1 to ${OWNER_CHARS} printable characters`);
  }
  if (typeof draft.purpose === 'string' && !isPlainText(draft.purpose, PURPOSE_CHARS)) {
    errors.push(`purpose: 1 to ${PURPOSE_CHARS} printable characters`);
  }
  if (draft.scopes !== undefined) errors.push(...scopeFaults(draft.scopes));
  if (draft.redirectUris !== undefined) errors.push(...redirectFaults(draft.redirectUris));
  if ((draft.certificates?.length ?? 0) > MOST_KEYS) errors.push(`certificates: more than ${MOST_KEYS}`);
  const { jwks: given, certificates, ...rest } = draft;
  const jwks = given === undefined ? null : await readKeys(given, errors);
  if (errors.length > 0) throw new Refusal('input_invalid', { detail: errors.join('; '), extra: { errors } });
  return {
    ...rest,
    ...(jwks === null ? {} : { jwks }),
    ...(certificates === undefined ? {} : { certificates: certificates.map(readCertificate) }),
  };
}

function scopeFaults(scopes: readonly string[]): string[] {
  const faults = scopes
    .filter((scope) => scope !== INTROSPECT_SCOPE && !SCOPE.test(scope))
    .map((scope) => `scopes: ${JSON.stringify(scope.slice(0, 140))} is not <service>:<access>`);
  if (new Set(scopes).size !== scopes.length) faults.push('scopes: one stands twice');
  if (scopes.includes(INSTRUCT_SCOPE) && scopes.length > 1)
    faults.push(`scopes: ${INSTRUCT_SCOPE} stands alone: who states the user's word must not be able to act`);
  if (scopes.length > MOST_SCOPES) faults.push(`scopes: more than ${MOST_SCOPES}`);
  return faults;
}

async function readKeys(values: readonly JsonValue[], errors: string[]): Promise<JsonObject[]> {
  if (values.length > MOST_KEYS) errors.push(`jwks: more than ${MOST_KEYS} keys`);
  const keys: JsonObject[] = [];
  for (const [index, value] of values.slice(0, MOST_KEYS).entries()) {
    try {
      keys.push(await storedKey(parsePublicJwk(value)));
    } catch (fault) {
      if (!(fault instanceof ProofFault)) throw fault;
      errors.push(`jwks[${index}]: ${fault.message}`);
    }
  }
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length)
    errors.push('jwks: two keys have the same kid');
  return keys;
}

async function storedKey(key: PublicJwk): Promise<JsonObject> {
  if (!ASSERTION_ALGORITHMS.some((algorithm) => keyFits(key, algorithm))) {
    throw new ProofFault('key', `The key fits none of ${ASSERTION_ALGORITHMS.join(', ')}.`);
  }
  const { kid, alg, ...material } = key;
  return {
    ...material,
    kid: kid ?? (await jwkThumbprint(key, sha256)),
    use: 'sig',
    ...(alg === null ? {} : { alg }),
  };
}

function isPlainText(text: string, most: number): boolean {
  return text.length > 0 && text.length <= most && text.isWellFormed() && !/\p{Cc}/u.test(text);
}
