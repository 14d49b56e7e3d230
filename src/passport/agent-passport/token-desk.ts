import {
  type Clock,
  type JsonObject,
  type PresentedPassport,
  Refusal,
  type SessionRisk,
} from '../../core/index.ts';
import type { AgentDirectory } from '../agent-directory.ts';
import { INTROSPECT_SCOPE } from '../agent-input.ts';
import { type EndpointAnswer, type EndpointRequest, readJsonBody, textMember } from '../endpoint.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Pepper } from '../pepper.ts';
import type { AgentRecord } from '../store.ts';
import type { TokenEndpoints } from '../token-endpoints.ts';
import type { PassportVerifier } from '../verifier.ts';

const TOKEN_CHARS = 8192;
const URL_CHARS = 2048;
const METHOD = /^[A-Z]{1,16}$/;
/** Where Agent Passport's own scale has its steps (0 to 100). */
const THROTTLE_FROM = 30;
const BLOCK_FROM = 60;

export interface TokenDeskOptions {
  readonly audiences: readonly string[];
  readonly tokens: TokenEndpoints;
  readonly directory: AgentDirectory;
  readonly pepper: Pepper;
  /** The verifier for one audience, as the gateway's: a proof that it has seen passes nowhere again. */
  readonly verifierFor: (audience: string) => PassportVerifier;
  readonly riskOf: (session: {
    readonly tenant: string;
    readonly sid: string;
    readonly agentId: string;
    readonly now: number;
  }) => SessionRisk;
  readonly clock: Clock;
}

/** What apps ask about tokens: `/v1/tokens/verify`, `introspect` and `revoke`. */
export class TokenDesk {
  readonly #o: TokenDeskOptions;

  constructor(o: TokenDeskOptions) {
    this.#o = o;
  }

  /**
   * Whether the app should take a token that was shown to it. It is asked with the proof that came along: an app
   * that looks at `valid` alone must not be fooled by a token without its key, or one for another app.
   */
  async verify(request: EndpointRequest): Promise<EndpointAnswer> {
    const app = await this.#app(request);
    if (!app.scopes.includes(INTROSPECT_SCOPE)) {
      throw new OAuthFault('unauthorized_client', `the app needs the scope ${INTROSPECT_SCOPE}`, {
        status: 403,
      });
    }
    const { audiences, clock, verifierFor, directory, riskOf } = this.#o;
    const body = readJsonBody(request);
    const token = textMember(body, 'token', TOKEN_CHARS);
    const named =
      body.audience === undefined ? (audiences[0] ?? '') : textMember(body, 'audience', URL_CHARS);
    const audience = resourceOf(named, audiences);
    if (audience === null)
      throw new OAuthFault('invalid_target', 'the audience is not one that passports are for');
    const now = clock.now();
    try {
      const passport = await verifierFor(audience).verify(presented(token, body), now);
      const { subject, scopes, expiresAt } = passport;
      const agent = directory.known(subject.agentId);
      return {
        status: 200,
        body: {
          valid: true,
          agent: {
            id: subject.agentId,
            handle: passport.agentName,
            ...(agent === null ? {} : { createdAt: isoOf(agent.createdAt), status: agent.status }),
          },
          scopes: [...scopes],
          audience,
          expiresAt: isoOf(expiresAt),
          claims: {
            scopes: [...scopes],
            exp: expiresAt / 1000,
            iat: passport.issuedAt / 1000,
            jti: passport.jti,
          },
          risk: describeRisk(riskOf({ ...subject, now })),
        },
      };
    } catch (fault) {
      if (!(fault instanceof Refusal) || !SAYS_NO.test(fault.code)) throw fault;
      return { status: 200, body: { valid: false, reason: fault.code } };
    }
  }

  /** What RFC 7662's `/introspect` says, with JSON in. */
  async introspect(request: EndpointRequest): Promise<EndpointAnswer> {
    const app = await this.#app(request);
    const token = textMember(readJsonBody(request), 'token', TOKEN_CHARS);
    return { status: 200, body: await this.#o.tokens.introspect(app.id, token) };
  }

  /** What RFC 7009's `/revoke` does: it ends the app's own tokens, and no other's. */
  async revoke(request: EndpointRequest): Promise<EndpointAnswer> {
    const app = await this.#app(request);
    const token = textMember(readJsonBody(request), 'token', TOKEN_CHARS);
    const known = await this.#o.tokens.introspect(app.id, token);
    await this.#o.tokens.revoke(app.id, token);
    if (known.active !== true) {
      return { status: 422, body: { error: 'revocation_failed', reason: 'no live token of this issuer' } };
    }
    const { jti = '', exp } = known;
    return { status: 200, body: { revoked: true, jti, expiresAt: isoOf(Number(exp) * 1000) } };
  }

  /** `X-App-Id` and `X-App-Key`: client id and secret of a registered client. Throws OAuthFault('invalid_client'). */
  async #app({ headers }: EndpointRequest): Promise<AgentRecord> {
    const [id, key] = [headers['x-app-id'], headers['x-app-key']];
    const agent = typeof id === 'string' ? await this.#o.directory.find(id) : null;
    const good =
      agent?.status === 'active' &&
      typeof key === 'string' &&
      this.#o.pepper.matchSecret(agent, key, this.#o.clock.now()) !== null;
    if (!good) throw new OAuthFault('invalid_client', 'X-App-Id and X-App-Key are not those of a client');
    return agent;
  }
}

/** Refusals that are about the token; others mean that nobody can say now, which is never "valid" and never "invalid". */
const SAYS_NO = /^(passport_|proof_|agent_quarantined$)/;

/** As the gateway would see it: the app hands on the proof, with the method and the URL that it was called with. */
function presented(token: string, body: JsonObject): PresentedPassport {
  const { proof } = body;
  if (proof === undefined) return { scheme: 'DPoP', token, proofs: [], htm: '', htu: '', loopback: false };
  if (typeof proof !== 'object' || proof === null || Array.isArray(proof)) {
    throw new OAuthFault('invalid_request', 'proof is an object {jwt, method, url}');
  }
  const given = proof as JsonObject;
  const htm = textMember(given, 'method', 16);
  if (!METHOD.test(htm)) throw new OAuthFault('invalid_request', 'proof.method is an HTTP method');
  const htu = textMember(given, 'url', URL_CHARS);
  const jwt = textMember(given, 'jwt', TOKEN_CHARS);
  return { scheme: 'DPoP', token, proofs: [jwt], htm, htu, loopback: false };
}

function describeRisk(risk: SessionRisk): JsonObject {
  const score = Math.round(risk.score * 100);
  const recommendedAction = score >= BLOCK_FROM ? 'block' : score >= THROTTLE_FROM ? 'throttle' : 'allow';
  return {
    score,
    recommendedAction,
    reasons: risk.findings > 0 ? [`${risk.findings} findings in this session`] : [],
  };
}

function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
