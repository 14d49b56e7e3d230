import { Agent, type IncomingMessage, request as openRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { SigningKey } from '../load/agent.ts';
import type { AgentSpec } from '../load/requests.ts';
import type { BenchService } from '../sallyport/service.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SCOPES = ['plain:read'];

export interface Passport {
  readonly holder: Holder;
  readonly token: string;
  readonly jti: string;
  readonly chain: readonly string[];
}

/** An agent that holds passports; all its calls go through connections that stay open. */
export class Holder {
  readonly #service: BenchService;
  readonly #spec: AgentSpec;
  readonly #key: SigningKey;
  readonly #proofKey = new SigningKey();
  readonly #agent = new Agent({ keepAlive: true });

  static async register(service: BenchService, name: string): Promise<Holder> {
    return new Holder(service, await service.addAgent(name, SCOPES));
  }

  private constructor(service: BenchService, spec: AgentSpec) {
    this.#service = service;
    this.#spec = spec;
    this.#key = SigningKey.fromPem(spec.privateKeyPem);
  }

  get id(): string {
    return this.#spec.clientId;
  }

  /** A passport of its own, or by exchange of another one; again, and slower, when the issuer says that it is too much. */
  async passport(o: { readonly from?: Passport; readonly mayAct?: string } = {}): Promise<Passport> {
    const { issuer, tokenEndpoint, clientId, kid } = this.#spec;
    for (;;) {
      const body = new URLSearchParams({
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: this.#key.assert(clientId, issuer, kid),
        ...(o.mayAct === undefined ? {} : { may_act: o.mayAct }),
        ...(o.from === undefined
          ? { grant_type: 'client_credentials' }
          : {
              grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
              subject_token: o.from.token,
              subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            }),
      });
      const dpop = this.#proofKey.prove({ htm: 'POST', htu: tokenEndpoint });
      const answer = await fetch(tokenEndpoint, { method: 'POST', body, headers: { dpop } });
      const text = await answer.text();
      if (answer.status === 429) {
        await pause(Number(answer.headers.get('retry-after') ?? 1) * 1000);
        continue;
      }
      if (answer.status !== 200) throw new Error(`the issuer answered ${answer.status}: ${text}`);
      const token = String(JSON.parse(text).access_token);
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      return { holder: this, token, jti: claims.jti, chain: claims.chain };
    }
  }

  /** A call that is signed already, so that signing is not measured. */
  prepare(path: '/item' | '/stream', { token }: Passport): () => Promise<IncomingMessage> {
    const url = `${this.#service.gatewayUrl}/s/plain${path}`;
    const dpop = this.#proofKey.prove({ htm: 'GET', htu: url, token });
    const headers = { authorization: `DPoP ${token}`, dpop };
    return () =>
      new Promise((resolve, reject) => {
        openRequest(url, { agent: this.#agent, headers })
          .once('error', reject)
          .once('response', resolve)
          .end();
      });
  }

  /** The status of one call. */
  async call(passport: Passport): Promise<number> {
    return statusOf(await this.prepare('/item', passport)());
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The status, once all of the answer was read. */
export async function statusOf(answer: IncomingMessage): Promise<number> {
  answer.resume();
  await new Promise((resolve, reject) => answer.once('end', resolve).once('error', reject));
  return answer.statusCode ?? 0;
}

/** Works through a list, a few at a time. */
export async function each<T>(
  list: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...list];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
}
