import { type JsonObject, type JsonValue, LIMITS } from '../core/index.ts';
import { parseStrictJsonObject } from '../proof/index.ts';
import { SdkFault } from './fault.ts';
import type { ProofMaker } from './proof-maker.ts';

/** A tool call, as `decide` and `observe` name it. The ids are the host's own. */
export interface ToolCallReport {
  readonly sessionId: string;
  readonly callId: string;
  readonly tool: string;
  readonly args?: JsonValue;
  /** What the tool says of itself in its server's `tools/list` (MCP, ToolAnnotations). It can only make the gate stricter. */
  readonly annotations?: JsonObject;
}

/** The gate's answer to a tool call before it runs. */
export interface ToolDecision {
  readonly decision: 'allow' | 'hold' | 'deny';
  readonly reason: string;
  /** The whole answer: refusal code, remedy, findings, where to wait for an approval, what to ask the issuer for. */
  readonly answer: JsonObject;
}

export interface GateClientOptions {
  /** The URL of the gateway. */
  readonly gate: string;
  readonly proofs: ProofMaker;
  /** The passport of the moment. `stale`: the one that the gate did not take. */
  readonly token: (stale?: string) => Promise<string>;
  readonly fetch: typeof fetch;
}

/** Sends requests through the gate with a passport and a fresh proof each, and nowhere else. */
export class GateClient {
  readonly #o: GateClientOptions;

  constructor(o: GateClientOptions) {
    this.#o = o;
  }

  /**
   * `fetch` through the gate. `input`: a path at the gate (`/s/<service>/…`) or its whole URL; for any other place
   * it throws TypeError, since a passport is for the gate alone. Repeats a request once when the gate wants a
   * nonce or another passport and the body can be sent again.
   */
  async fetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input, this.#o.gate);
    if (url.origin !== new URL(this.#o.gate).origin) {
      throw new TypeError(`${url.origin} is not the gate; call a service by /s/<service>/<path>`);
    }
    const token = await this.#o.token();
    const first = await this.#send(url, init, token);
    const learned = this.#o.proofs.learn(url.href, first.headers.get('dpop-nonce'));
    const refusal = first.headers.get('sallyport-refusal');
    const renew = refusal === 'passport_expired' || refusal === 'passport_revoked';
    if (first.status !== 401 || !(learned || renew) || init.body instanceof ReadableStream) return first;
    await first.body?.cancel();
    return this.#send(url, init, renew ? await this.#o.token(token) : token);
  }

  /** May this tool call run? Throws SdkFault when the gate gives no decision. */
  async decide(call: ToolCallReport): Promise<ToolDecision> {
    const answer = await this.#post('/v1/decide', { ...call, phase: 'call' });
    const { decision, reason } = answer;
    if (decision !== 'allow' && decision !== 'hold' && decision !== 'deny') {
      throw new SdkFault('malformed', 'The gate gave no decision.');
    }
    return { decision, reason: typeof reason === 'string' ? reason : '', answer };
  }

  /** Tells the gate what a tool answered, before the agent reads it; gives the findings. Throws SdkFault. */
  async observe(call: ToolCallReport & { readonly text: string }): Promise<readonly JsonValue[]> {
    const { findings } = await this.#post('/v1/observe', { ...call, phase: 'result' });
    return Array.isArray(findings) ? findings : [];
  }

  async #post(path: string, body: object): Promise<JsonObject> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await answer.text();
    let read: JsonObject;
    try {
      read = parseStrictJsonObject(text, LIMITS.jsonDepth);
    } catch (cause) {
      throw new SdkFault('malformed', `The gate answers ${answer.status} without JSON.`, { cause });
    }
    if (answer.status === 200) return read;
    const { code, title, detail } = read;
    throw new SdkFault('gate_refused', `The gate says no (${String(code)}): ${String(detail ?? title)}`);
  }

  async #send(url: URL, init: RequestInit, token: string): Promise<Response> {
    const method = (init.method ?? 'GET').toUpperCase();
    const headers = new Headers(init.headers);
    headers.set('authorization', `DPoP ${token}`);
    headers.set('dpop', await this.#o.proofs.prove({ method, url: url.href, accessToken: token }));
    try {
      // A redirect of a service leads the agent, not this client: the next place may not be the gate's.
      return await this.#o.fetch(url, { redirect: 'manual', ...init, method, headers });
    } catch (cause) {
      throw new SdkFault('unreachable', `The gate does not answer at ${url.origin}.`, { cause });
    }
  }
}
