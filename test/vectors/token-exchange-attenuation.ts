import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, importJWK, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import type { JsonValue } from '../../src/core/index.ts';
import { type AccessGrant, denyAccess, isScopeWithin } from '../../src/proof/index.ts';
import {
  ASSERTION_TYPE,
  type Bench,
  makeProof,
  openBench,
  post,
  TestAgent,
} from '../unit/passport/support.ts';
import type { VectorResult } from './main.ts';

const AUDIENCE = 'https://mcp.example';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

type Actor = { sub: string; act?: Actor | undefined };
const actor: z.ZodType<Actor> = z.strictObject({ sub: z.string(), act: z.lazy(() => actor).optional() });
const details = z.array(z.record(z.string(), z.json()));
const claims = z.object({
  sub: z.string(),
  scope: z.string().default(''),
  aud: z.union([z.string(), z.array(z.string())]),
  act: actor.optional(),
  upstream_claims: z.record(z.string(), z.json()).default({}),
});
const verdict = z.enum(['permit', 'deny']);

const claimCase = z.object({
  id: z.string(),
  class: z.literal('token-exchange-attenuation-v0'),
  vector_valid: z.boolean(),
  input: z.object({
    subject_token_claims: claims,
    exchanged_token_claims: claims,
    requests: z.array(
      z.object({
        id: z.string(),
        audience: z.string(),
        required_actor: z.string().optional(),
        requires: z.object({
          scope: z.string().optional(),
          attribute: z
            .object({ name: z.string(), equals: z.json().optional(), contains: z.json().optional() })
            .optional(),
        }),
      }),
    ),
  }),
  expected: z.array(
    z.object({
      request: z.string(),
      against_t1: verdict,
      against_t2: verdict,
      deny_reason: z.string().optional(),
      t1_deny_reason: z.string().optional(),
    }),
  ),
});

const subject = z.strictObject({
  sub: z.string(),
  client: z.string(),
  scope: z.string(),
  aud: z.array(z.string()),
  exp_in: z.number(),
  max_depth: z.number(),
  depth: z.number().optional(),
  authorization_details: details,
  cnf: z.string(),
  may_act: z.array(z.string()),
  act: actor.optional(),
  revoked: z.boolean().default(false),
  ancestor_revoked: z.boolean().default(false),
  token_type: z.string().optional(),
  iss: z.string().optional(),
});
type Subject = z.infer<typeof subject>;

const exchangeCase = z.object({
  id: z.string(),
  class: z.enum(['exchange-issue', 'exchange-refuse']),
  input: z.strictObject({
    subject_token: subject,
    actor: z.strictObject({ sub: z.string(), authenticated: z.boolean(), dpop: z.string() }),
    request: z.looseObject({
      grant_type: z.string(),
      authorization_details: details.optional(),
      actor_token: z.object({ sub: z.string() }).optional(),
    }),
  }),
  expected: z.strictObject({
    outcome: z.enum(['issue', 'refuse']),
    error: z.string().optional(),
    scope: z.string().optional(),
    scope_subset_of: z.string().optional(),
    sub: z.string().optional(),
    act: actor.optional(),
    exp_at_most: z.number().optional(),
    cnf: z.string().optional(),
    authorization_details: details.optional(),
  }),
});
type ExchangeCase = z.infer<typeof exchangeCase>;

const vectors = z.object({ cases: z.array(z.union([claimCase, exchangeCase])) });

/** The decisions about claims, and the token endpoint itself, on every case of the file. */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = vectors.parse(JSON.parse(await readFile(path, 'utf8')));
  const stage = await Stage.open();
  const failures: { id: string; why: string }[] = [];
  try {
    for (const vector of cases) {
      const why = await judge(vector, stage).catch((fault: unknown) => `crashed: ${String(fault)}`);
      if (why !== null) failures.push({ id: vector.id, why });
    }
  } finally {
    await stage.close();
  }
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

function judge(vector: z.infer<typeof vectors>['cases'][number], stage: Stage): Promise<string | null> {
  return vector.class === 'token-exchange-attenuation-v0'
    ? Promise.resolve(judgeClaims(vector))
    : stage.judge(vector);
}

function judgeClaims({ vector_valid, input, expected }: z.infer<typeof claimCase>): string | null {
  const [t1, t2] = [grantOf(input.subject_token_claims), grantOf(input.exchanged_token_claims)];
  const valid = isScopeWithin(t2.scopes, t1.scopes);
  if (valid !== vector_valid) return valid ? 'the widened scope was not seen' : 'it was taken for widened';
  if (!valid) return null;
  for (const wanted of expected) {
    const request = input.requests.find(({ id }) => id === wanted.request);
    if (request === undefined) return `there is no request ${wanted.request}`;
    const { scope, attribute } = request.requires;
    const required = {
      audience: request.audience,
      ...(request.required_actor === undefined ? {} : { actor: request.required_actor }),
      ...(scope === undefined ? {} : { scopes: [scope] }),
      ...(attribute === undefined ? {} : { attribute: JSON.parse(JSON.stringify(attribute)) }),
    };
    const outcomes = [
      [denyAccess(t2, required), wanted.against_t2, wanted.deny_reason],
      [denyAccess(t1, required), wanted.against_t1, wanted.t1_deny_reason],
    ] as const;
    for (const [denial, expectation, reason] of outcomes) {
      const met = expectation === 'permit' ? denial === null : denial !== null;
      if (!met || (denial !== null && reason !== undefined && denial !== reason)) {
        return `${wanted.request}: ${denial ?? 'permit'} in place of ${reason ?? expectation}`;
      }
    }
  }
  return null;
}

function grantOf({ sub, scope, aud, act, upstream_claims }: z.infer<typeof claims>): AccessGrant {
  return {
    audiences: [aud].flat(),
    actor: act?.sub ?? sub,
    scopes: scope.split(' ').filter((one) => one !== ''),
    attributes: JSON.parse(JSON.stringify(upstream_claims)),
  };
}

/** An issuer with the agents that the cases name, and passports signed with its own key. */
class Stage {
  readonly #bench: Bench;
  readonly #agents = new Map<string, TestAgent>();

  private constructor(bench: Bench) {
    this.#bench = bench;
  }

  static async open(): Promise<Stage> {
    return new Stage(
      await openBench({ audience: AUDIENCE, limits: { client: { perSecond: 1e6, burst: 1e6 } } }),
    );
  }

  close(): Promise<void> {
    return this.#bench.close();
  }

  async judge({ input, expected }: ExchangeCase): Promise<string | null> {
    const { actor: acting, request } = input;
    const agent = await this.#agent(acting.sub);
    const form = new URLSearchParams();
    const { authorization_details, actor_token, ...others } = request;
    for (const [name, value] of Object.entries(others)) {
      for (const one of [value].flat()) {
        if (one !== null) form.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one));
      }
    }
    if (authorization_details !== undefined) {
      form.set('authorization_details', JSON.stringify(authorization_details.map(ours)));
    }
    form.set('subject_token', await this.#subjectToken(input.subject_token));
    form.set('subject_token_type', ACCESS_TOKEN);
    if (actor_token !== undefined) {
      form.set('actor_token', await (await this.#agent(actor_token.sub)).passport());
      form.set('actor_token_type', ACCESS_TOKEN);
    }
    if (acting.authenticated) {
      form.set('client_assertion_type', ASSERTION_TYPE);
      form.set('client_assertion', await agent.assertion());
    } else form.set('client_id', agent.id);
    const { dpop } = await this.#agent(acting.dpop);
    const url = `${this.#bench.issuer}/token`;
    const before = this.#bench.eventsOf('passport.issued').length;
    const headers = { dpop: await makeProof(dpop, { htm: 'POST', htu: url }) };
    const { body } = await post(url, { form, headers });
    const issued = this.#bench.eventsOf('passport.issued').length - before;
    if (expected.outcome === 'refuse') {
      if (body.access_token !== undefined || issued !== 0) return 'a passport was issued';
      const good = body.error === expected.error || body.error === 'invalid_request';
      return good ? null : `refused as ${String(body.error)} (${String(body.error_description)})`;
    }
    if (typeof body.access_token !== 'string') return `refused: ${JSON.stringify(body)}`;
    return this.#compare(decodeJwt(body.access_token), expected);
  }

  #compare(issued: JWTPayload, expected: ExchangeCase['expected']): string | null {
    const scope = String(issued.scope ?? '');
    const found: [string, unknown, unknown][] = [
      ['scope', scope, expected.scope],
      ['sub', issued.sub, expected.sub],
      ['act', issued.act, expected.act === undefined ? undefined : this.#named(expected.act)],
      ['cnf', issued.cnf, expected.cnf === undefined ? undefined : this.#cnf(expected.cnf)],
      ['authorization_details', issued.authorization_details, expected.authorization_details?.map(ours)],
    ];
    for (const [name, is, wanted] of found) {
      if (wanted !== undefined && JSON.stringify(is) !== JSON.stringify(wanted)) {
        return `${name} is ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`;
      }
    }
    const most = expected.scope_subset_of?.split(' ');
    if (most !== undefined && !isScopeWithin(scope.split(' '), most)) return `scope is ${scope}`;
    const left = (issued.exp ?? 0) - Math.floor(Date.now() / 1000);
    return expected.exp_at_most === undefined || left <= expected.exp_at_most ? null : `it lives ${left} s`;
  }

  async #subjectToken(given: Subject): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const client = await this.#agent(given.client);
    const jti = `jti_${randomUUID()}`;
    const hops = 1 + (given.depth ?? depthOf(given.act));
    const chain = Array.from({ length: hops }, () => `hop_${randomUUID()}`);
    const [mayAct] = given.may_act;
    const token = {
      iss: given.iss ?? this.#bench.issuer,
      sub: given.sub,
      aud: given.aud,
      iat: now - 10,
      exp: now + given.exp_in,
      jti,
      client_id: client.id,
      scope: given.scope,
      sid: 'session_of_the_vectors',
      owner: 'alice@example.com',
      chain,
      max_depth: given.max_depth,
      authorization_details: given.authorization_details.map(ours),
      budgets: given.authorization_details.map(({ max_calls }, index) =>
        max_calls === undefined ? [] : [[0, index, max_calls]],
      ),
      cnf: this.#cnf(given.cnf),
      may_act: { sub: (await this.#agent(mayAct ?? '')).id },
      ...(given.act === undefined ? {} : { act: await this.#nested(given.act) }),
    };
    await this.#bench.storage.passports.insert({
      tenant: 'default',
      jti,
      agentId: client.id,
      owner: 'alice@example.com',
      user: given.sub,
      sid: 'session_of_the_vectors',
      chain,
      scope: given.scope,
      audience: AUDIENCE,
      jkt: client.dpop.thumbprint,
      x5t: null,
      grant: 'a test',
      issuedAt: (now - 10) * 1000,
      expiresAt: (now + given.exp_in) * 1000,
      parent: null,
      lineage: [client.id],
      details: [],
      kid: null,
      credential: null,
      statusIndex: null,
    });
    if (given.revoked) await this.#revoke('token', jti);
    if (given.ancestor_revoked) await this.#revoke('hop', chain[0] ?? '');
    const typ = given.token_type === 'id_token' ? 'JWT' : 'at+jwt';
    return this.#sign(token, typ);
  }

  async #sign(token: JWTPayload, typ: string): Promise<string> {
    const file = await readFile(join(this.#bench.keysDirectory, 'passport-signing.json'), 'utf8');
    const keys = z.object({
      keys: z.array(z.looseObject({ kid: z.string(), status: z.string(), jwk: z.any() })),
    });
    const current = keys.parse(JSON.parse(file)).keys.find(({ status }) => status === 'current');
    if (current === undefined) throw new Error('no signing key');
    const key = await importJWK(current.jwk, 'ES256');
    return new SignJWT(token).setProtectedHeader({ alg: 'ES256', typ, kid: current.kid }).sign(key);
  }

  async #revoke(kind: 'token' | 'hop', value: string): Promise<void> {
    await this.#bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: null });
  }

  async #agent(name: string): Promise<TestAgent> {
    const known = this.#agents.get(name);
    if (known !== undefined) return known;
    const agent = await TestAgent.register(this.#bench, {
      name: name.replace(/[^a-z0-9]/g, '-'),
      scopes: ['mcp:read', 'mcp:write', 'mcp:admin'],
    });
    this.#agents.set(name, agent);
    return agent;
  }

  async #nested({ sub, act }: Actor): Promise<JsonValue> {
    const { id } = await this.#agent(sub);
    return { sub: id, ...(act === undefined ? {} : { act: await this.#nested(act) }) };
  }

  #named({ sub, act }: Actor): JsonValue {
    const id = this.#agents.get(sub)?.id ?? sub;
    return { sub: id, ...(act === undefined ? {} : { act: this.#named(act) }) };
  }

  #cnf(name: string): { jkt: string } {
    return { jkt: this.#agents.get(name)?.dpop.thumbprint ?? 'nobody' };
  }
}

/** The vectors call our type `tool`. Another one stays what it is. */
function ours(detail: Record<string, JsonValue>): Record<string, JsonValue> {
  return detail.type === 'tool' ? { ...detail, type: 'tool_call' } : detail;
}

function depthOf(act: Actor | undefined): number {
  return act === undefined ? 0 : 1 + depthOf(act.act);
}
