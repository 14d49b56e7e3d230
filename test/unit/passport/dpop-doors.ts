import { type PresentedPassport, Refusal } from '../../../src/core/index.ts';
import type { PassportRoom } from '../../../src/passport/index.ts';
import { AskingAgent, newPerson, type TestPerson } from '../../support/consent.ts';
import { type Mutation, mutatedProof, type ProofKeys } from './dpop-mutation.ts';
import {
  ASSERTION_TYPE,
  type Bench,
  newKey,
  newWeakKey,
  openBench,
  post,
  TestAgent,
  type TestKey,
} from './support.ts';

const ISSUER = 'https://issuer.example';
const RESOURCE = 'https://gate.example/api/x';
/** The gates look as if they had run for a minute, since proofs from before their start are refused. */
const UPTIME_MS = 60_000;

/** Null: accepted; else the OAuth error that the door answers with. */
export type Outcome = string | null;

interface Parts {
  readonly bench: Bench;
  /** Two nodes over one memory of what was seen. */
  readonly gates: readonly [PassportRoom, PassportRoom];
  /** Asks for nonces, as issuer and as gate. */
  readonly strict: PassportRoom;
  readonly agent: TestAgent;
  readonly keys: ProofKeys;
  /** A passport bound to the agent's key, and one to each other key that a case may name as the client's. */
  readonly bound: Readonly<Record<'own' | 'ed25519' | 'rsa', string>>;
  readonly unbound: string;
  readonly issuerNonce: string;
  /** What people allow is got at an issuer with pages. */
  readonly asked: { readonly bench: Bench; readonly agent: AskingAgent; readonly person: TestPerson };
}

/** Every door that takes DPoP proofs, over real storage and a real socket. */
export class DpopDoors {
  readonly #o: Parts;

  constructor(o: Parts) {
    this.#o = o;
  }

  static async open(): Promise<DpopDoors> {
    const bench = await openBench({ publicIssuer: ISSUER, bearer: 'loopback' });
    const { replay } = bench.storage;
    const agent = await TestAgent.register(bench);
    const unbound = await agent.request({ proof: null });
    const [ed25519, rsa] = [await newKey('EdDSA'), await newKey('RS256')];
    const boundTo = async (dpop: TestKey) => String((await agent.request({ dpop })).body.access_token);
    const bound = {
      own: await boundTo(agent.dpop),
      ed25519: await boundTo(ed25519),
      rsa: await boundTo(rsa),
    };
    const strict = await bench.openNode({ replay, nonce: true });
    bench.serve(strict);
    const nonced = await agent.request();
    bench.serve(bench.room);
    const pages = await openBench();
    const client = await AskingAgent.register(pages, { publicClient: true });
    return new DpopDoors({
      bench,
      gates: [await bench.openNode({ replay }), await bench.openNode({ replay })],
      strict,
      agent,
      keys: {
        own: agent.dpop,
        other: await newKey(),
        ed25519,
        rsa,
        rsa1024: await newWeakKey(),
      },
      bound,
      unbound: String(unbound.body.access_token),
      issuerNonce: nonced.headers.get('dpop-nonce') ?? '',
      asked: { bench: pages, agent: client, person: await newPerson(pages) },
    });
  }

  async close(): Promise<void> {
    await this.#o.asked.bench.close();
    await this.#o.bench.close();
  }

  async play(at: 'resource' | 'token', change: Mutation): Promise<Outcome[]> {
    return at === 'token' ? [await this.#atToken(change)] : this.#atResource(change);
  }

  async #atToken(change: Mutation): Promise<Outcome> {
    if (change.grant !== undefined) return this.#asPerson(change.grant);
    const { bench, agent, keys } = this.#o;
    const now = Date.now();
    const context = { keys, htm: 'POST', htu: `${ISSUER}/token`, now, accessToken: null, nonce: null };
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await agent.assertion(),
    };
    const headers = { dpop: mutatedProof(change, context) };
    const { status, body } = await post(`${bench.issuer}/token`, { form, headers });
    return status === 200 ? null : String(body.error);
  }

  /** What a person allowed one key is asked for with another. */
  async #asPerson(grant: NonNullable<Mutation['grant']>): Promise<Outcome> {
    const { agent, person } = this.#o.asked;
    const other = { dpop: await newKey() };
    const { status, body } =
      grant === 'authorization_code'
        ? await agent.redeem(await agent.code(person, { dpop_jkt: agent.dpop.thumbprint }), {}, other)
        : await agent.refresh((await agent.tokens(person)).refresh, {}, other);
    return status === 200 ? null : String(body.error);
  }

  async #atResource(change: Mutation): Promise<Outcome[]> {
    const now = Date.now() + UPTIME_MS;
    const presented = await this.#present(change, now);
    const { gates, strict } = this.#o;
    const doors: readonly PassportRoom[] = change.nonceRequired === true ? [strict] : gates;
    const times = change.repeat ?? 1;
    const attempts = Array.from({ length: times }, (_, index) => async () => {
      const door = doors[change.nodes === undefined ? 0 : index % change.nodes];
      const shown = index > 0 && change.secondClaims !== undefined ? presented.second : presented.first;
      return this.#verify(door, shown, now);
    });
    if (change.parallel === true) return Promise.all(attempts.map((attempt) => attempt()));
    const outcomes: Outcome[] = [];
    for (const attempt of attempts) outcomes.push(await attempt());
    return outcomes;
  }

  async #verify(door: PassportRoom | undefined, shown: PresentedPassport, now: number): Promise<Outcome> {
    try {
      await door?.verifier.verify(shown, now);
      return door === undefined ? 'no such node' : null;
    } catch (refusal) {
      if (refusal instanceof Refusal) return oauthErrorOf(refusal);
      throw refusal;
    }
  }

  async #present(change: Mutation, now: number) {
    const { keys, bound, unbound } = this.#o;
    const holder = change.key === 'ed25519' || change.key === 'rsa' ? change.key : 'own';
    const token = change.token === 'unbound' ? unbound : bound[holder];
    const context = {
      keys,
      htm: 'GET',
      htu: RESOURCE,
      now,
      accessToken: token,
      nonce: this.#nonce(change, now),
    };
    const jti = { jti: `jti-${Math.random()}` };
    const fixedJti = change.secondClaims === undefined ? {} : jti;
    const first = mutatedProof(change, context, fixedJti);
    const second = mutatedProof(change, context, { ...jti, ...change.secondClaims });
    const shown = (proof: string): PresentedPassport => ({
      scheme: change.scheme ?? 'DPoP',
      token,
      proofs: fieldsOf(change, proof, () => mutatedProof(change, context)),
      htm: 'GET',
      htu: (change.request?.url ?? RESOURCE).replace(/[?#].*$/, ''),
      loopback: true,
    });
    return { first: shown(first), second: { ...shown(second), htu: secondTarget(change) } };
  }

  #nonce(change: Mutation, now: number): string | null {
    const { strict, issuerNonce } = this.#o;
    switch (change.nonce) {
      case undefined:
        return null;
      case 'current':
        return strict.verifier.nonce(now);
      case 'expired':
        return strict.verifier.nonce(now - 600_000);
      case 'unknown':
        return 'visibly-unknown-nonce';
      case 'other-server':
        return issuerNonce;
    }
  }
}

/** The proof for another target goes to that target. */
function secondTarget(change: Mutation): string {
  return typeof change.secondClaims?.htu === 'string' ? change.secondClaims.htu : RESOURCE;
}

function fieldsOf(change: Mutation, proof: string, another: () => string): string[] {
  const fields = [proof, ...Array.from({ length: (change.proofs ?? 1) - 1 }, another)];
  if (change.proofs === 0) return [];
  return change.joined === true ? [fields.join(',')] : fields;
}

/** The words that the gateway's answer uses for a refusal. */
function oauthErrorOf(refusal: Refusal): string {
  if (refusal.code === 'proof_nonce') {
    return typeof refusal.extra.dpopNonce === 'string' ? 'use_dpop_nonce' : 'no nonce given';
  }
  return refusal.code.startsWith('proof_') ? 'invalid_dpop_proof' : 'invalid_token';
}
