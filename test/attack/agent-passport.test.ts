import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askJson, ChallengeAgent, type EdKey, initialToken, newEdKey } from '../support/enrolment.ts';
import { type Bench, GATE, makeProof, newKey, openBench, post, TestAgent } from '../unit/passport/support.ts';

/**
 * Agent Passport's challenge endpoints, without the thirteen weaknesses that reading its source suggests. Each test
 * carries the number that reference notes give the weakness; none is a statement about that project.
 */
const OTHER = 'https://files.example';
let bench: Bench;
let agent: ChallengeAgent;
let app: { id: string; key: string };
let stranger: EdKey;
beforeAll(async () => {
  stranger = await newEdKey();
  bench = await openBench({ resources: [OTHER] });
  agent = await ChallengeAgent.register(bench);
  app = await registerApp(['introspect']);
});
afterAll(() => bench.close());

async function registerApp(scopes: string[]): Promise<{ id: string; key: string }> {
  const made = await bench.room.agents.register(
    { name: `app-${randomUUID().slice(0, 8)}`, owner: 'apps@example.com', scopes, withSecret: true },
    'admin',
  );
  const key = made.secret?.use((bytes) => Buffer.from(bytes).toString('utf8')) ?? '';
  return { id: made.agent.id, key };
}

const challengeOf = (fromNowMs: number) => `${(Date.now() + fromNowMs).toString(36)}.${'A'.repeat(22)}`;

const asApp = (which = app) => ({ 'x-app-id': which.id, 'x-app-key': which.key });

/** Asks as an app that was called with the token and a proof by this key. */
async function verify(token: string, o: { proofBy?: typeof agent.key.dpop | null; audience?: string } = {}) {
  const url = 'https://app.example/work';
  const { proofBy = agent.key.dpop, audience } = o;
  const jwt =
    proofBy === null ? null : await makeProof(proofBy, { htm: 'POST', htu: url, accessToken: token });
  return askJson('POST', `${bench.issuer}/v1/tokens/verify`, {
    body: {
      token,
      ...(audience === undefined ? {} : { audience }),
      ...(jwt === null ? {} : { proof: { jwt, method: 'POST', url } }),
    },
    headers: asApp(),
  });
}

describe('the endpoints of Agent Passport', () => {
  test('an agent registers, signs its challenge, and an app verifies what it got', async () => {
    const answer = await agent.identityToken({ scopes: ['github:read'] });
    expect(answer.status).toBe(200);
    expect(Date.parse(String(answer.body.expiresAt))).toBeGreaterThan(Date.now());
    const verified = await verify(String(answer.body.token));
    expect(verified.body).toMatchObject({
      valid: true,
      agent: { id: agent.id, status: 'active' },
      scopes: ['github:read'],
      risk: { score: 0, recommendedAction: 'allow' },
    });
  });

  test('flaw 1: a token is for one audience, and an app for another one does not take it', async () => {
    const token = await agent.token({ audience: OTHER });
    expect(decodeJwt(token).aud).toBe(OTHER);
    expect((await verify(token)).body).toEqual({ valid: false, reason: 'passport_audience' });
    expect((await verify(token, { audience: OTHER })).body.valid).toBe(true);
    const elsewhere = await agent.identityToken({ audience: 'https://evil.example' });
    expect([elsewhere.status, elsewhere.body.error]).toEqual([400, 'invalid_target']);
  });

  test('flaw 2: an agent gets no scope by naming it', async () => {
    const answer = await agent.identityToken({ scopes: ['github:read', 'bank:transfer'] });
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_scope']);
    expect(answer.body).not.toHaveProperty('token');
  });

  test('flaw 3: a stolen token is worth nothing without the key of the agent', async () => {
    const token = await agent.token();
    expect(decodeJwt(token).cnf).toEqual({ jkt: agent.key.dpop.thumbprint });
    expect((await verify(token, { proofBy: null })).body).toEqual({ valid: false, reason: 'proof_missing' });
    expect((await verify(token, { proofBy: await newKey() })).body).toMatchObject({ valid: false });
    await expect(
      bench.room.verifier.verify(
        { scheme: 'Bearer', token, proofs: [], htm: 'GET', htu: GATE, loopback: true },
        bench.clock.now(),
      ),
    ).rejects.toMatchObject({ code: 'passport_invalid' });
  });

  test('flaw 3: a proof that one app has verified passes at no other, nor at the gateway', async () => {
    const token = await agent.token();
    const [htm, htu] = ['POST', 'https://app.example/work'];
    const jwt = await makeProof(agent.key.dpop, { htm, htu, accessToken: token });
    const body = { token, proof: { jwt, method: htm, url: htu } };
    const ask = () => askJson('POST', `${bench.issuer}/v1/tokens/verify`, { body, headers: asApp() });
    expect((await ask()).body.valid).toBe(true);
    expect((await ask()).body).toEqual({ valid: false, reason: 'proof_replayed' });
    await expect(
      bench.room.verifier.verify(
        { scheme: 'DPoP', token, proofs: [jwt], htm, htu, loopback: true },
        bench.clock.now(),
      ),
    ).rejects.toMatchObject({ code: 'proof_replayed' });
  });

  test('flaw 4: what the token grants can be passed on, and then says who acts for whom', async () => {
    const token = await agent.token();
    const worker = await TestAgent.register(bench);
    const { privateKey, publicJwk, alg } = agent.key.dpop;
    const subjectProof = await new SignJWT({
      aud: bench.identifier,
      ath: Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))).toString(
        'base64url',
      ),
      act: { sub: worker.id },
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
    })
      .setProtectedHeader({ typ: 'delegation+jwt', alg, jwk: publicJwk })
      .sign(privateKey);
    const { status, body } = await worker.exchange(token, { form: { subject_proof: subjectProof } });
    expect(status).toBe(200);
    expect(decodeJwt(String(body.access_token))).toMatchObject({ sub: agent.id, act: { sub: worker.id } });
  });

  test('flaw 5: revoking needs a token that is really ours, and of the app that asks', async () => {
    const token = await agent.token();
    const [head = '', payload = ''] = token.split('.');
    const revoke = (text: string, which = app) =>
      askJson('POST', `${bench.issuer}/v1/tokens/revoke`, { body: { token: text }, headers: asApp(which) });
    const forged = await revoke(`${head}.${payload}.${Buffer.alloc(64, 7).toString('base64url')}`);
    expect([forged.status, forged.body.error]).toEqual([422, 'revocation_failed']);
    const foreign = await revoke(token);
    expect([foreign.status, foreign.body.error]).toEqual([400, 'unauthorized_client']);
    expect((await verify(token)).body.valid).toBe(true);
  });

  test('flaw 6: introspection knows what was revoked', async () => {
    const token = await agent.token();
    const introspect = async () =>
      (await askJson('POST', `${bench.issuer}/v1/tokens/introspect`, { body: { token }, headers: asApp() }))
        .body;
    expect(await introspect()).toMatchObject({ active: true, client_id: agent.id });
    const { jti = '' } = decodeJwt(token);
    await bench.room.revocations.revoke({
      tenant: 'default',
      kind: 'token',
      value: jti,
      by: 'admin',
      reason: null,
    });
    expect(await introspect()).toEqual({ active: false });
    expect((await verify(token)).body).toEqual({ valid: false, reason: 'passport_revoked' });
  });

  test('flaw 8: of twenty answers to one challenge at once, one gets a token', async () => {
    const { challengeId, nonce } = await agent.challenge();
    const body = { challengeId, signatureB64: agent.sign(nonce), scopes: [] };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => askJson('POST', `${agent.url}/identity-token`, { body })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(19);
  });

  test.each([
    ['signed by another key', (nonce: string) => ({ signatureB64: agent.sign(nonce, stranger.secret) })],
    ['over another text', () => ({ signatureB64: agent.sign('another nonce') })],
    [
      'over the bytes of the nonce',
      (nonce: string) => ({ signatureB64: agent.signBytes(Buffer.from(nonce, 'base64')) }),
    ],
    ['with a signature that is no base64', () => ({ signatureB64: '!'.repeat(88) })],
    ['to a challenge that we never made', () => ({ challengeId: challengeOf(60_000) })],
    ['to a challenge from the far future', () => ({ challengeId: challengeOf(3_600_000) })],
    ['to an expired challenge', () => ({ challengeId: challengeOf(-1000) })],
  ])('an answer %s is invalid_grant', async (_what, change) => {
    const answer = await agent.identityToken(change);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
    expect(answer.body).not.toHaveProperty('token');
  });

  test('a challenge that has expired is not answered any more', async () => {
    const { challengeId, nonce } = await agent.challenge();
    bench.clock.aheadMs = 6 * 60_000;
    const answer = await askJson('POST', `${agent.url}/identity-token`, {
      body: { challengeId, signatureB64: agent.sign(nonce) },
    });
    bench.clock.aheadMs = 0;
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  });

  test('a challenge of one agent is none of another', async () => {
    const other = await ChallengeAgent.register(bench);
    const { challengeId, nonce } = await agent.challenge();
    const answer = await askJson('POST', `${other.url}/identity-token`, {
      body: { challengeId, signatureB64: other.sign(nonce) },
    });
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
  });

  test('whoever asks for challenges does not learn which agents there are', async () => {
    const unknown = await askJson('POST', `${bench.issuer}/v1/agents/agent_nobody/challenge`);
    const known = await askJson('POST', `${agent.url}/challenge`);
    expect([unknown.status, Object.keys(unknown.body)]).toEqual([known.status, Object.keys(known.body)]);
  });

  test('flaw 9: what nobody proved stands in no token, and there is nowhere to claim it', async () => {
    const token = await agent.token({ humanVerification: { provider: 'github', verified: true } });
    expect(JSON.stringify(decodeJwt(token))).not.toContain('github"');
    for (const path of ['human-verification', 'human-verification/github']) {
      expect((await fetch(`${agent.url}/${path}`, { method: 'POST', body: '{}' })).status).toBe(404);
    }
  });

  test('flaw 10: tokens name type and key, and live through a rotation', async () => {
    const token = await agent.token();
    const header = decodeProtectedHeader(token);
    expect(header).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    await bench.room.keys.rotate('admin');
    expect((await verify(token)).body.valid).toBe(true);
    const fresh = await agent.token();
    expect(decodeProtectedHeader(fresh).kid).not.toBe(header.kid);
    const { keys } = (await askJson('GET', `${bench.issuer}/jwks`)).body as { keys: { kid: string }[] };
    expect(keys.map(({ kid }) => kid)).toEqual(
      expect.arrayContaining([header.kid, decodeProtectedHeader(fresh).kid]),
    );
  });

  test('flaw 11: the answer to a registration suits clients that read it flat and clients that read it nested', async () => {
    const { token } = await initialToken(bench);
    const { publicKeyB64 } = await newEdKey();
    const { body } = await askJson('POST', `${bench.issuer}/v1/agents/register`, {
      body: { handle: 'both_forms', publicKeyB64 },
      headers: { authorization: `Bearer ${token}` },
    });
    expect(body).toMatchObject({
      agentId: expect.stringMatching(/^agent_/),
      agent: { handle: 'both-forms' },
    });
    expect((body.agent as { id: string }).id).toBe(body.agentId);
  });

  test('flaw 12: it is not said to be RFC 7662; what is, stands in the metadata', async () => {
    const metadata = (await askJson('GET', `${bench.issuer}/.well-known/oauth-authorization-server`)).body;
    expect(metadata.introspection_endpoint).toBe(`${bench.issuer}/introspect`);
    expect(JSON.stringify(metadata)).not.toContain('/v1/tokens');
    const { status, headers } = await askJson('POST', `${bench.issuer}/v1/tokens/introspect`, {
      body: { token: 'x' },
      headers: { 'x-app-id': app.id, 'x-app-key': 'wrong' },
    });
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_client"']);
  });

  test('an app without the right to ask learns nothing', async () => {
    const stranger = await registerApp(['github:read']);
    const token = await agent.token();
    const ask = (path: string) =>
      askJson('POST', `${bench.issuer}/v1/tokens/${path}`, { body: { token }, headers: asApp(stranger) });
    expect((await ask('introspect')).body).toEqual({ active: false });
    const verified = await ask('verify');
    expect([verified.status, verified.body.error]).toEqual([403, 'unauthorized_client']);
  });

  test('flaw 13: nobody registers without a token from an administrator', async () => {
    const { publicKeyB64 } = await newEdKey();
    const before = (await bench.room.agents.list({ after: null, limit: 100 })).length;
    for (const headers of [{}, { authorization: `Bearer spit_${'x'.repeat(43)}` }] as Record<
      string,
      string
    >[]) {
      const { status, body } = await askJson('POST', `${bench.issuer}/v1/agents/register`, {
        body: { handle: 'stranger', publicKeyB64 },
        headers,
      });
      expect([status, body.error]).toEqual([401, 'invalid_token']);
    }
    expect((await bench.room.agents.list({ after: null, limit: 100 })).length).toBe(before);
  });

  test('flaw 13: who loses the key puts in another one and stays the same agent', async () => {
    const lost = await ChallengeAgent.register(bench);
    const fresh = await newEdKey();
    const { status } = await askJson('PUT', `${bench.issuer}/register/${lost.id}`, {
      body: { client_id: lost.id, jwks: { keys: [fresh.dpop.publicJwk] } },
      headers: { authorization: `Bearer ${lost.registrationToken}` },
    });
    expect(status).toBe(200);
    expect((await lost.identityToken()).body.error).toBe('invalid_grant');
    const found = new ChallengeAgent(bench, lost.id, fresh, '');
    expect(decodeJwt(await found.token()).sub).toBe(lost.id);
  });

  test('a quarantined agent gets nothing, and what it had is worth nothing', async () => {
    const bad = await ChallengeAgent.register(bench);
    const token = await bad.token();
    await bench.room.agents.quarantine(bad.id, 'test', 'admin');
    expect((await bad.identityToken()).body.error).toBe('invalid_grant');
    expect((await verify(token, { proofBy: bad.key.dpop })).body).toEqual({
      valid: false,
      reason: 'agent_quarantined',
    });
  });

  test('oversized and malformed requests are refused as such', async () => {
    const huge = await askJson('POST', `${agent.url}/identity-token`, {
      body: { challengeId: 'x'.repeat(40_000) },
    });
    expect([huge.status, huge.body.error]).toEqual([413, 'invalid_request']);
    const form = await post(`${agent.url}/identity-token`, { form: { challengeId: 'x' } });
    expect([form.status, form.body.error]).toEqual([400, 'invalid_request']);
    const twice = await fetch(`${agent.url}/identity-token`, {
      method: 'POST',
      body: '{"challengeId":"a","challengeId":"b"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(twice.status).toBe(400);
  });
});

test('flaw 7: when what was revoked can not be written or counted, the answer is no', async () => {
  const broken = await openBench();
  try {
    const held = await ChallengeAgent.register(broken);
    const { challengeId, nonce } = await held.challenge();
    await broken.room.agents.quarantine(held.id, 'test', 'admin');
    await broken.room.agents.release(held.id, 'admin');
    await broken.storage.close();
    const answer = await askJson('POST', `${held.url}/identity-token`, {
      body: { challengeId, signatureB64: held.sign(nonce) },
    });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.body).not.toHaveProperty('token');
    await expect(
      broken.room.revocations.revoke({
        tenant: 'default',
        kind: 'agent',
        value: held.id,
        by: 'admin',
        reason: null,
      }),
    ).rejects.toThrow();
  } finally {
    await broken.close().catch(() => {});
  }
});
