import { type Call, type Finding, Refusal, type Subject } from '../../core/index.ts';
import type { DecoyRecord } from '../store.ts';
import type { Decoys } from './decoys.ts';
import { type DecoyContent, plantInText } from './plant-in-text.ts';

/** Where the gate lays decoys out by itself, as an administrator has said. */
export interface BaitSettings {
  /** Names of credentials that every listing shows beside the real ones. */
  readonly listing: readonly string[];
  /** In which answers: of a tool or service (`*` stands for any run of characters), of what kind. */
  readonly results: readonly BaitRule[];
  /** Tools and scopes that nobody has a reason to use. */
  readonly tools: readonly string[];
  readonly scopes: readonly string[];
}

export interface BaitRule {
  readonly from: string;
  readonly content: DecoyContent;
  readonly name: string;
}

export const NO_BAIT: BaitSettings = { listing: [], results: [], tools: [], scopes: [] };

const LISTING = 'in the listing of services';

/** Lays decoys out: each session gets its own, so that a leak names the session that leaked. */
export class Bait {
  readonly #settings: BaitSettings;
  readonly #decoys: Decoys;
  readonly #since: number;
  readonly #tools: ReadonlySet<string>;
  readonly #rules: readonly { readonly from: RegExp; readonly rule: BaitRule }[];

  constructor(settings: BaitSettings, decoys: Decoys, since: number) {
    this.#settings = settings;
    this.#decoys = decoys;
    this.#since = since;
    this.#tools = new Set(settings.tools.map((name) => name.toLowerCase()));
    this.#rules = settings.results.map((rule) => ({ from: patternOf(rule.from), rule }));
  }

  /** The decoys of a session's listing. */
  async listing({ tenant, sid }: Pick<Subject, 'tenant' | 'sid'>): Promise<readonly DecoyRecord[]> {
    const planted: DecoyRecord[] = [];
    for (const name of this.#settings.listing) {
      const decoy = await this.#plant({ tenant, sid, name, place: LISTING });
      if (decoy !== null) planted.push(decoy);
    }
    return planted;
  }

  /** Whether answers of this tool or service may get a decoy at all. */
  wants(source: string): boolean {
    return this.#rules.some(({ from }) => from.test(source));
  }

  /** The answer with a decoy in it, and the decoy; null: it stays as it is. */
  async inAnswer(o: {
    readonly subject: Pick<Subject, 'tenant' | 'sid'>;
    readonly source: string;
    readonly callId: string;
    readonly text: string;
    /** Whether what was asked for is not there; null: not known. */
    readonly missing: boolean | null;
  }): Promise<{ readonly text: string; readonly decoy: DecoyRecord } | null> {
    for (const { from, rule } of this.#rules) {
      if (!from.test(o.source) || (rule.content === 'not-found') !== (o.missing === true)) continue;
      // Looked at with a stand-in first: what has no place for a decoy plants none.
      if (plantInText(o.text, rule.content, { name: rule.name, value: 'x' }) === null) continue;
      const place = `in the answer of ${o.source.slice(0, 64)} (${o.callId.slice(0, 64)})`;
      const decoy = await this.#plant({ ...o.subject, name: rule.name, place });
      if (decoy === null) return null;
      const text = plantInText(o.text, rule.content, decoy);
      return text === null ? null : { text, decoy };
    }
    return null;
  }

  /** A tool that nobody has a reason to call. */
  toolFinding(call: Call, { sid }: Pick<Subject, 'sid'>): Finding | null {
    if (call.kind !== 'tool') return null;
    const name = call.tool.toLowerCase();
    const short = name.split(/__|[./:]/).at(-1) ?? name;
    if (!this.#tools.has(name) && !this.#tools.has(short)) return null;
    return this.#finding('tool', call.tool, sid, 'was called');
  }

  /** A scope that nobody has a reason to ask for. */
  scopeFinding(scopes: Iterable<string>, sid: string | null): Finding | null {
    for (const scope of scopes)
      if (this.#settings.scopes.includes(scope)) return this.#finding('scope', scope, sid, 'was asked for');
    return null;
  }

  #finding(kind: 'tool' | 'scope', name: string, sid: string | null, what: string): Finding {
    const since = new Date(this.#since).toISOString();
    const shown = name.slice(0, 64);
    const session = sid === null ? '' : ` by session ${sid}`;
    return {
      check: `decoy.${kind}`,
      title: `A decoy was used: the ${kind} ${shown}`,
      severity: 'critical',
      score: 1,
      evidence: `The decoy ${kind} ${shown} ${what}${session}. It is laid out for every session since ${since} by the configuration (detector.decoys.${kind}s).`,
      references: ['OWASP-ASI:ASI02', 'OWASP-ASI:ASI03'],
      decoy: { id: `${kind}:${shown}`, sid, plantedAt: this.#since },
    };
  }

  /** Null when there is one more than a session is shown, or another node was faster with the same value. */
  async #plant(o: Parameters<Decoys['plantFor']>[0]): Promise<DecoyRecord | null> {
    try {
      return await this.#decoys.plantFor(o);
    } catch (fault) {
      if (fault instanceof Refusal && fault.code === 'conflict') return null;
      throw fault;
    }
  }
}

// Names are short and patterns the administrator's; with nothing but runs, it is linear enough.
function patternOf(name: string): RegExp {
  const runs = name.split(/\*+/).map((run) => run.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${runs.join('.*')}$`, 'i');
}
