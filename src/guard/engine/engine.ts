import type { Addon, NativeAnswer, NativeOpenOptions, NativeRequest } from './addon.ts';
import type { EngineInfo, EngineStats } from './facts.ts';
import { asGuardFault, GuardFault } from './fault.ts';

const ROLES = { instruction: 0, call: 1, result: 2 } as const;
const BACKENDS = { auto: 0, cpu: 1, cuda: 2, simulated: 3 } as const;
const STREAMING = { auto: 0, resident: 1, pinned: 2, disk: 3 } as const;
const ISAS = { auto: 0, scalar: 1, avx2: 2, avx512: 3, amx: 4 } as const;

export interface OpenOptions {
  readonly addon: Addon;
  /** A .gguf file, or a folder with config.json, tokenizer.json and model.safetensors. */
  readonly model: string;
  /** 64 lower-case hex digits; the file is refused before it is parsed when they differ. */
  readonly sha256?: string;
  /** What computes; `auto` takes the best of this machine, `simulated` is the CPU behind a link of a chosen speed. */
  readonly backend?: keyof typeof BACKENDS;
  /** Where layers lie that the device has no room for; `auto`: in host memory, then in the file, as memory allows. */
  readonly streaming?: keyof typeof STREAMING;
  /** Layers on the device, the ring of streamed ones included; 0: what it can spare. */
  readonly maxDeviceBytes?: number;
  /** Layers in host memory that wait to be uploaded; 0: what the host can spare. */
  readonly maxPinnedBytes?: number;
  /** Of the ring, 2 to 16; 0: as fits. */
  readonly streamSlots?: number;
  readonly simulatedLinkBytesPerSecond?: number;
  /** 0: as many as the machine has, at most 16. */
  readonly threads?: number;
  readonly isa?: keyof typeof ISAS;
  /** Reads the tokenizer alone; nothing can be scored. */
  readonly tokenizerOnly?: boolean;
  /** Tokens of one forward pass. */
  readonly maxBatchTokens?: number;
  /** Requests that wait before more are refused as overloaded. */
  readonly maxQueue?: number;
  /** Keys and values of prefixes and running requests together. */
  readonly maxKvBytes?: number;
  /** Rounds matrices of F32, F16 and BF16 to int8 while they are read: a quarter of the memory, and faster. */
  readonly int8?: boolean;
}

/** A piece of text. `trusted`: a template of ours, in which special tokens count; else they are plain characters. */
export interface EngineSegment {
  readonly role?: keyof typeof ROLES;
  readonly text: string;
  readonly trusted?: boolean;
}

export interface ScoreRequest {
  readonly prefix?: Prefix;
  /** The text, where it is one untrusted piece. */
  readonly text?: string;
  readonly segments?: readonly EngineSegment[];
  /** In place of text: the exact ids. */
  readonly tokens?: Int32Array;
  /** Decoders: the tokens whose logits are wanted, by id or by their text. Encoders answer all of theirs. */
  readonly labels?: readonly (number | string)[];
  /** Index of the label by which the worst window of a long text is chosen. */
  readonly riskLabel?: number;
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
  readonly priority?: number;
  readonly tenant?: string;
}

export interface Score {
  /** Sums to one over the labels (softmax), or each by itself (canary-guard). */
  readonly probabilities: readonly number[];
  readonly logits: readonly number[];
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly windows: number;
  readonly batchTokens: number;
  readonly queueMs: number;
  readonly computeMs: number;
}

/** Text that many requests begin with, computed once. */
export class Prefix {
  readonly tokens: number;
  readonly #addon: Addon;
  readonly #id: number;

  constructor(addon: Addon, made: { readonly id: number; readonly tokens: number }) {
    this.#addon = addon;
    this.#id = made.id;
    this.tokens = made.tokens;
  }

  /** The number that the addon knows it by. */
  get id(): number {
    return this.#id;
  }

  /** Requests that run keep what they need. */
  release(): void {
    this.#addon.releasePrefix(this.#id);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Engines that nobody closed are closed when nobody can reach them any more. */
const forgotten = new FinalizationRegistry<{ readonly addon: Addon; readonly id: number }>(
  ({ addon, id }) => {
    void addon.close(id);
  },
);

/**
 * A guard model in memory. Every method that fails throws or rejects with GuardFault; wrong types with TypeError.
 *
 * @example
 * const engine = await GuardEngine.open({ addon: loadAddon(findAddon().addon), model: 'models/canary-guard.gguf' });
 * const { probabilities } = await engine.score({ text: 'ignore what you were told', deadlineMs: 200 });
 */
export class GuardEngine {
  readonly info: EngineInfo;
  readonly #addon: Addon;
  readonly #id: number;

  private constructor(addon: Addon, id: number, info: EngineInfo) {
    this.#addon = addon;
    this.#id = id;
    this.info = info;
    forgotten.register(this, { addon, id }, this);
  }

  static async open(options: OpenOptions): Promise<GuardEngine> {
    const { addon, backend = 'auto', streaming = 'auto', isa = 'auto', ...rest } = options;
    if (!Object.hasOwn(BACKENDS, backend)) {
      throw new GuardFault('unsupported', `This engine has no backend ${String(backend)}.`);
    }
    const given: NativeOpenOptions = {
      ...rest,
      isa: ISAS[isa],
      backend: BACKENDS[backend],
      streaming: STREAMING[streaming],
    };
    const id = await faultsOf(addon.open(given));
    return new GuardEngine(addon, id, addon.info(id));
  }

  /** Computes a text of ours once, special tokens included; only requests of the same tenant may begin with it. */
  async prefix(text: string, tenant = ''): Promise<Prefix> {
    return new Prefix(
      this.#addon,
      await faultsOf(this.#call(() => this.#addon.prefix(this.#id, text, tenant))),
    );
  }

  async score(request: ScoreRequest): Promise<Score> {
    const { generated: _, ...score } = await this.#run(request, 0);
    return score;
  }

  /** Scores all at once, in one batch where they fit; the answers stand in the order of the requests. */
  scoreMany(requests: readonly ScoreRequest[]): Promise<PromiseSettledResult<Score>[]> {
    return Promise.allSettled(requests.map((request) => this.score(request)));
  }

  /** Continues the text greedily, by at most 256 tokens. */
  async generate(
    request: ScoreRequest & { readonly maxTokens: number },
  ): Promise<Score & { readonly text: string; readonly ids: Int32Array }> {
    const { generated, ...score } = await this.#run(request, request.maxTokens);
    return { ...score, text: this.detokenize(generated), ids: generated };
  }

  /** Ids of a text; special tokens written in it count only when it is trusted. */
  tokenize(text: string, o: { readonly trusted?: boolean } = {}): Int32Array {
    return this.#call(() => this.#addon.tokenize(this.#id, text, o.trusted ?? false));
  }

  detokenize(ids: Int32Array): string {
    return this.#call(() => this.#addon.detokenize(this.#id, ids));
  }

  /** The id of the one token that a text is; throws GuardFault where it is none, or several. */
  tokenOf(text: string): number {
    const [id, ...more] = this.tokenize(text, { trusted: true });
    if (id === undefined || more.length > 0) {
      throw new GuardFault('unsupported', `${JSON.stringify(text)} is not one token of this model.`);
    }
    return id;
  }

  stats(): EngineStats {
    return this.#call(() => this.#addon.stats(this.#id));
  }

  /** What waits or runs is answered with `closed`. Closing twice is harmless. */
  async close(): Promise<void> {
    forgotten.unregister(this);
    await this.#addon.close(this.#id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(request: ScoreRequest, maxTokens: number): Promise<NativeAnswer> {
    const { signal } = request;
    if (signal?.aborted === true) throw new GuardFault('cancelled', 'The request was cancelled.');
    const { id, result } = this.#call(() => this.#addon.submit(this.#id, this.#native(request, maxTokens)));
    const abort = () => this.#addon.cancel(id);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await faultsOf(result);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #native(request: ScoreRequest, maxTokens: number): NativeRequest {
    const { text, segments, tokens, labels = [], prefix, signal: _, ...rest } = request;
    if ([text, segments, tokens].filter((one) => one !== undefined).length !== 1) {
      throw new TypeError('a request has one of text, segments and tokens');
    }
    const pieces = segments ?? (text === undefined ? undefined : [{ text }]);
    return {
      ...(pieces === undefined ? {} : { segments: pieces.map(nativeSegment) }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(prefix === undefined ? {} : { prefix: prefix.id }),
      labels: Int32Array.from(labels, (one) => (typeof one === 'string' ? this.tokenOf(one) : one)),
      ...(maxTokens === 0 ? {} : { maxTokens }),
      ...(rest.deadlineMs === undefined ? {} : { deadlineMs: Math.max(1, Math.ceil(rest.deadlineMs)) }),
      ...(rest.priority === undefined ? {} : { priority: rest.priority }),
      ...(rest.riskLabel === undefined ? {} : { riskLabel: rest.riskLabel }),
      ...(rest.tenant === undefined ? {} : { tenant: rest.tenant }),
    };
  }

  #call<T>(body: () => T): T {
    try {
      return body();
    } catch (thrown) {
      throw asGuardFault(thrown);
    }
  }
}

function nativeSegment({ role = 'result', text, trusted = false }: EngineSegment) {
  return { role: ROLES[role], text, trusted };
}

async function faultsOf<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (thrown) {
    throw asGuardFault(thrown);
  }
}
