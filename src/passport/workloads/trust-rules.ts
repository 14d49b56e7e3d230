import { type JsonObject, type JsonValue, parseUrl } from '../../core/index.ts';
import { type ClaimConditions, meetsConditions, parseClaimConditions } from '../../proof/index.ts';

/** Which tokens of another issuer stand for which agent, as an administrator writes it. */
export interface WorkloadTrust {
  /** What the rule is called in logs; unique. */
  readonly name: string;
  /** The exact `iss` of the tokens. */
  readonly issuer: string;
  /** Where that issuer's key set (RFC 7517) is; https, or http on this machine. */
  readonly jwksUri: string;
  /** What tokens must be for; null: the identifier of our own issuer. */
  readonly audience: string | null;
  /** Name of the agent that they stand for. */
  readonly agent: string;
  /** Claim path → constraint (`eq`, `in`, `prefix`, `max`, `min`); all must hold, and there must be one. */
  readonly claims: Readonly<Record<string, JsonValue>>;
  /** Whether a token is good for one passport. Platforms that hand out the same token for an hour need false. */
  readonly singleUse: boolean;
}

export interface TrustRule extends Omit<WorkloadTrust, 'claims'> {
  readonly conditions: ClaimConditions;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Throws TypeError for a rule that would trust too much or can't be read, and says which. */
export function readTrustRules(given: readonly WorkloadTrust[]): readonly TrustRule[] {
  const names = new Set<string>();
  return given.map(({ claims, ...rule }) => {
    if (names.has(rule.name)) throw new TypeError(`issuer.workloads: two rules are named ${rule.name}`);
    names.add(rule.name);
    const url = parseUrl(rule.jwksUri);
    if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && LOOPBACK.has(url.hostname))) {
      throw new TypeError(`issuer.workloads: the jwksUri of ${rule.name} must be https`);
    }
    return { ...rule, conditions: readConditions(rule.name, claims) };
  });
}

function readConditions(name: string, claims: WorkloadTrust['claims']): TrustRule['conditions'] {
  // Everybody with an account at a public platform can have a token of its issuer.
  if (Object.keys(claims).length === 0)
    throw new TypeError(`issuer.workloads: ${name} names no claim, and would trust everybody`);
  try {
    return parseClaimConditions(claims);
  } catch (cause) {
    throw new TypeError(`issuer.workloads: the claims of ${name} can not be read`, { cause });
  }
}

/** Whether a token's claims are what the rule asks for. */
export function matchesRule(rule: TrustRule, claims: JsonObject): boolean {
  return meetsConditions(rule.conditions, claims);
}
