import { createHash, randomBytes } from 'node:crypto';
import type { AgentView, NewAgent } from '../../src/passport/index.ts';
import type { Bench, TestKey } from '../unit/passport/support.ts';
import { jwkOf, makeAssertion, makeProof, newKey, post } from '../unit/passport/support.ts';
import { TestBrowser, type Visited } from './browser.ts';

const PASSWORD = 'four visibly fake words';
export const REDIRECT = 'https://app.example/callback';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Somebody with an account, and a browser in which they are signed in. */
export interface TestPerson {
  readonly id: string;
  readonly name: string;
  readonly browser: TestBrowser;
  /** The same person in another browser. */
  signIn(): Promise<TestBrowser>;
}

export async function newPerson(
  bench: Bench,
  name = `ada-${randomBytes(4).toString('hex')}`,
): Promise<TestPerson> {
  const { user, link } = await bench.people.users.add({ name, displayName: name }, 'admin');
  const browser = new TestBrowser(bench.issuer);
  const address = link.use((bytes) => Buffer.from(bytes).toString('utf8'));
  await browser.submit(await browser.visit(address), { password: PASSWORD, again: PASSWORD });
  const signIn = async () => {
    const other = new TestBrowser(bench.issuer);
    await other.submit(await other.visit('/signin'), { name, password: PASSWORD });
    return other;
  };
  return { id: user.id, name, browser, signIn };
}

/** What a person makes of a question. */
export interface Decision {
  readonly decision?: 'allow' | 'deny';
  readonly scope?: readonly string[];
  readonly detail?: readonly string[];
  readonly lifetime?: string;
}

/** The parameters with which the browser came back to the agent; throws where it did not leave. */
export function backWith(visited: Visited): URLSearchParams {
  if (visited.leftTo === null)
    throw new Error(`the browser stayed on ${visited.url}: ${visited.text.slice(0, 800)}`);
  return new URL(visited.leftTo).searchParams;
}

/** Decides on a page of consent. */
export async function decide(browser: TestBrowser, page: Visited, decision: Decision = {}): Promise<Visited> {
  const values = { decision: 'allow', ...decision };
  return browser.submit(page, values);
}

/** An agent that people are asked by: it has redirect URIs, and a key or nothing to authenticate with. */
export class AskingAgent {
  readonly bench: Bench;
  readonly agent: AgentView;
  /** Null: it is a public client. */
  readonly key: TestKey | null;
  readonly dpop: TestKey;
  readonly verifier = randomBytes(32).toString('base64url');

  constructor(bench: Bench, agent: AgentView, key: TestKey | null, dpop: TestKey) {
    this.bench = bench;
    this.agent = agent;
    this.key = key;
    this.dpop = dpop;
  }

  static async register(bench: Bench, o: Partial<NewAgent> = {}): Promise<AskingAgent> {
    const key = o.publicClient === true ? null : await newKey();
    const { agent } = await bench.room.agents.register(
      {
        name: `asker-${randomBytes(4).toString('hex')}`,
        owner: 'team-a',
        scopes: ['github:read', 'github:write'],
        redirectUris: [REDIRECT],
        ...(key === null ? {} : { jwks: [jwkOf(key)] }),
        ...o,
      },
      'admin',
    );
    return new AskingAgent(bench, agent, key, await newKey());
  }

  get id(): string {
    return this.agent.id;
  }

  get challenge(): string {
    return createHash('sha256').update(this.verifier).digest('base64url');
  }

  /** The address that the agent sends a browser to. An empty text leaves a parameter out. */
  url(parameters: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams({ ...this.parameters(), ...parameters });
    for (const [name, value] of [...query]) if (value === '') query.delete(name);
    return `${this.bench.issuer}/authorize?${query}`;
  }

  parameters(): Record<string, string> {
    return {
      response_type: 'code',
      client_id: this.id,
      redirect_uri: this.agent.redirectUris[0] ?? '',
      state: 'a state/with&signs',
      code_challenge: this.challenge,
      code_challenge_method: 'S256',
    };
  }

  /** A code, as the person allowed it. */
  async code(
    person: TestPerson,
    parameters: Record<string, string> = {},
    decision: Decision = {},
  ): Promise<string> {
    const page = await person.browser.visit(this.url(parameters));
    const code = backWith(await decide(person.browser, page, decision)).get('code');
    if (code === null) throw new Error('no code came back');
    return code;
  }

  /** The answer of an endpoint that authenticates clients. */
  async send(path: string, form: Record<string, string>, o: { dpop?: TestKey | null } = {}) {
    const { issuer, identifier } = this.bench;
    const dpop = o.dpop === undefined ? this.dpop : o.dpop;
    const proof = dpop === null ? null : await makeProof(dpop, { htm: 'POST', htu: `${identifier}${path}` });
    return post(`${issuer}${path}`, {
      form: { ...(await this.authentication()), ...form },
      ...(proof === null ? {} : { headers: { dpop: proof } }),
    });
  }

  async authentication(): Promise<Record<string, string>> {
    if (this.key === null) return { client_id: this.id };
    const client_assertion = await makeAssertion(this.key, {
      clientId: this.id,
      audience: this.bench.identifier,
    });
    return { client_assertion_type: ASSERTION_TYPE, client_assertion };
  }

  redeem(code: string, form: Record<string, string> = {}, o: { dpop?: TestKey | null } = {}) {
    const redirect = this.agent.redirectUris[0] ?? '';
    return this.send(
      '/token',
      {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirect,
        code_verifier: this.verifier,
        ...form,
      },
      o,
    );
  }

  refresh(token: string, form: Record<string, string> = {}, o: { dpop?: TestKey | null } = {}) {
    return this.send('/token', { grant_type: 'refresh_token', refresh_token: token, ...form }, o);
  }

  /** Passport and refresh token, as a person allowed it. */
  async tokens(person: TestPerson, parameters: Record<string, string> = {}, decision: Decision = {}) {
    const { status, body } = await this.redeem(await this.code(person, parameters, decision));
    if (status !== 200) throw new Error(`no passport: ${status} ${JSON.stringify(body)}`);
    return { access: String(body.access_token), refresh: String(body.refresh_token), body };
  }

  /** Whether the gate would take the passport now. */
  async isLive(token: string, dpop = this.dpop): Promise<boolean> {
    const { room, clock } = this.bench;
    const audience = 'https://gate.example';
    const proof = await makeProof(dpop, { htm: 'GET', htu: `${audience}/s/github/user`, accessToken: token });
    const presented = {
      scheme: 'DPoP' as const,
      token,
      proofs: [proof],
      htm: 'GET',
      htu: `${audience}/s/github/user`,
      loopback: true,
    };
    return room.verifier.verify(presented, clock.now()).then(
      () => true,
      () => false,
    );
  }
}
