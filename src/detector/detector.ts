import {
  type AuditEvent,
  type Call,
  type Clock,
  type Effect,
  type Finding,
  type HttpCall,
  Refusal,
  type RefusalCode,
  type SessionRisk,
  type Subject,
  type Verdict,
} from '../core/index.ts';
import { absentGuard, type Guard } from '../guard/index.ts';
import { Baselines } from './baseline.ts';
import { CHECKS } from './checks/index.ts';
import {
  Bait,
  type BaitSettings,
  Decoys,
  decoyFinding,
  NO_BAIT,
  type OutboundScanner,
  scanOutbound,
} from './decoys/index.ts';
import { fuse, scoreOf } from './fuse.ts';
import { GuardWatch } from './guard-watch.ts';
import { Catalogues, Labeller, type LabelRule, type ToldTool, ToolListReader } from './labels/index.ts';
import { type Profile, type Thresholds, thresholdsOf } from './profiles.ts';
import { type Deed, deedOfRequest, deedOfTool, follow, onlyReads } from './provenance/index.ts';
import type { Recorder } from './record/recorder.ts';
import { type ResponseRule, respond } from './responses.ts';
import { RiskWriter } from './risk-writer.ts';
import { type Occasion, RuleEvent, RuleKeeper, type RulesReload } from './rules/index.ts';
import { AgentBuckets } from './session-counts.ts';
import { type SessionState, Sessions } from './sessions/index.ts';
import type { BaselineStore, DecoyRecord, DecoyStore, RiskStore } from './store.ts';
import { type View, valuesOf, viewCall, viewResult } from './view.ts';

export interface DetectorOptions {
  readonly decoyStore: DecoyStore;
  readonly baselineStore: BaselineStore;
  readonly riskStore: RiskStore;
  /** Folder of the detection rules. */
  readonly rulesDirectory: string;
  /** Whether a change of them is taken over by itself; default: no. */
  readonly watchRules?: boolean;
  readonly profile: Profile;
  /** From which score on a call is held, and denied, instead of what the profile says; null: as it says. */
  readonly holdFrom?: number | null;
  readonly denyFrom?: number | null;
  /** What is done beside that; the profile `observe` does nothing. */
  readonly responses?: readonly ResponseRule[];
  /** Verdict when the deadline passes first (G9). */
  readonly onLate: Effect;
  /** A session's calls: so many at once, and then so many a second. All sessions of an agent: four times that. */
  readonly rate: { readonly burst: number; readonly perSecond: number };
  /** Beginnings of the names of checks that say nothing: to see what a part is worth. Never used live. */
  readonly without?: readonly string[];
  /** The guard model; default: none. */
  readonly guard?: Guard;
  /** How long what a session has read may take the guard, and the next call waits for it; default: a minute. */
  readonly readingMs?: number;
  /** Where the gate lays decoys out by itself; default: nowhere. */
  readonly bait?: BaitSettings;
  /** Takes down what sessions do, for replays; default: nobody. */
  readonly recorder?: Pick<Recorder, 'call' | 'text'>;
  /** What tools, services and hosts are; default: what their names tell. */
  readonly labels?: readonly LabelRule[];
  /** Services whose tools are believed to be as harmless as their annotations say; default: none. */
  readonly trustedAnnotations?: readonly string[];
  /** What all sessions together may remember of what they read, bytes; default: 512 MiB. */
  readonly memoryBytes?: number;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Told of what happens in the background. */
  readonly onFault?: (fault: unknown) => void;
}

export interface Detector {
  readonly profile: Profile;
  readonly rules: number;
  /** What is wrong with the folder of rules, while older ones are in force; and how many rules of others are left out. */
  readonly ruleFaults: readonly string[];
  readonly refusedRules: number;
  /** Puts the rules on disk in force; with a fault in them, the old ones stay. */
  reloadRules(): Promise<RulesReload>;
  readonly decoys: Decoys;
  /** The decoys that the gate lays out by itself. */
  readonly bait: Bait;
  /** What its sessions take in memory, bytes; from above. */
  readonly remembered: number;
  /** Scores a call before it is made. Never throws for what a call holds. */
  inspect(o: {
    readonly subject: Subject;
    readonly call: Call;
    readonly now: number;
    readonly deadlineMs: number;
    /** What the agent was registered for, as its passport states it. */
    readonly purpose?: string | null;
  }): Promise<Verdict>;
  /**
   * Takes in what the agent is told: results change the session's risk. Instructions are the user's, and
   * trusted: the caller has seen to it that they come from the user's side. Throws `scope_insufficient` for those to
   * a session of another owner's agent.
   */
  observe(o: {
    readonly subject: Subject;
    readonly phase: 'instruction' | 'call' | 'result';
    readonly callId: string;
    readonly tool: string;
    readonly text: string;
    readonly now: number;
  }): Promise<readonly Finding[]>;
  /** Of a session that is not known: what its agent's forgotten ones left. */
  riskOf(session: Pick<Subject, 'tenant' | 'sid' | 'agentId'>, now: number): SessionRisk;
  outboundScanner(subject: Subject): OutboundScanner;
  /** The decoys in the words of a call that has nowhere to go: no service is at its destination. */
  inspectStray(o: {
    readonly subject: Subject;
    readonly text: string;
    readonly now: number;
  }): readonly Finding[];
  /**
   * A result with a decoy in it, where an administrator has said so; null: as it was. To be called before the agent reads
   * it, by whoever can still change it.
   */
  plantInResult(o: {
    readonly subject: Subject;
    readonly callId: string;
    readonly tool: string;
    readonly text: string;
    /** Whether what was asked for is not there; null: not known. */
    readonly missing: boolean | null;
    readonly now: number;
  }): Promise<string | null>;
  recordRefusal(subject: Subject, code: RefusalCode, now: number): void;
  /** Takes in what the tools of a session say of themselves; what was told before is replaced. */
  describeTools(o: {
    readonly subject: Subject;
    readonly tools: Iterable<ToldTool>;
    readonly now: number;
  }): void;
  /** Takes in what one tool says of itself; it makes the session's tools stricter, never milder. */
  describeTool(o: { readonly subject: Subject; readonly tool: ToldTool; readonly now: number }): void;
  /** Takes in what a server of MCP says of its tools, as its answer streams by. */
  toolList(call: HttpCall): { push(chunk: Uint8Array): void };
  /** Waits for what is still to be written. */
  close(): Promise<void>;
}

const MEMORY_BYTES = 512 * 1024 * 1024;
const OTHER_OWNER = 'The session is of an agent with another owner.';
/** Risks older than this have decayed to nothing. */
const RESTORE_MS = 24 * 60 * 60 * 1000;
const RESTORE_SESSIONS = 10_000;
const DECOY_REFRESH_MS = 5_000;
/** Without a bound in the settings. */
const READING_MS = 60_000;
/** What the guard model's word on a result counts for the session's risk. */
const RESULT_SHARE = 0.5;
/** Decoys that one session is remembered to have read. */
const MAX_SIGHTS = 64;
/** Of a result, so much is searched for decoys: a sight only adds to what a later finding tells. */
const DECOY_TEXT_CHARS = 256 * 1024;

/** Opens the detector. Throws RuleError, which names every broken rule. */
export async function openDetector(options: DetectorOptions): Promise<Detector> {
  const rules = await RuleKeeper.open({
    directory: options.rulesDirectory,
    clock: options.clock,
    audit: options.audit,
    watch: options.watchRules ?? false,
    onFault: options.onFault ?? (() => {}),
  });
  const decoys = await Decoys.open({ store: options.decoyStore, clock: options.clock, audit: options.audit });
  const detector = new CanaryDetector(options, rules, decoys);
  await detector.restore();
  return detector;
}

class CanaryDetector implements Detector {
  readonly profile: Profile;
  readonly decoys: Decoys;
  readonly bait: Bait;
  readonly #options: DetectorOptions;
  readonly #rules: RuleKeeper;
  readonly #sessions: Sessions;
  readonly #agents: AgentBuckets;
  readonly #baselines: Baselines;
  readonly #guard: GuardWatch;
  readonly #labeller: Labeller;
  readonly #catalogues = new Catalogues();
  readonly #thresholds: Thresholds;
  readonly #responses: readonly ResponseRule[];
  readonly #risks: RiskWriter;
  readonly #onFault: (fault: unknown) => void;
  readonly #refresh: NodeJS.Timeout;

  constructor(options: DetectorOptions, rules: RuleKeeper, decoys: Decoys) {
    this.profile = options.profile;
    this.decoys = decoys;
    this.bait = new Bait(options.bait ?? NO_BAIT, decoys, options.clock.now());
    this.#options = options;
    this.#rules = rules;
    this.#onFault = options.onFault ?? (() => {});
    this.#risks = new RiskWriter(options.riskStore, this.#onFault);
    this.#baselines = new Baselines({
      store: options.baselineStore,
      now: () => options.clock.now(),
      onFault: this.#onFault,
    });
    this.#thresholds = thresholdsOf(options.profile, options);
    this.#responses = options.profile === 'observe' ? [] : (options.responses ?? []);
    this.#labeller = new Labeller(options.labels ?? [], options.trustedAnnotations);
    this.#guard = new GuardWatch(options.guard ?? absentGuard, options.readingMs ?? READING_MS);
    this.#sessions = new Sessions({
      rate: options.rate,
      memoryBytes: options.memoryBytes ?? MEMORY_BYTES,
      onRisk: (state) => this.#risks.add(state),
    });
    this.#agents = new AgentBuckets(options.rate);
    // Decoys that another node planted are looked for here soon after.
    this.#refresh = setInterval(() => void decoys.refresh().catch(this.#onFault), DECOY_REFRESH_MS).unref();
  }

  get rules(): number {
    return this.#rules.current().size;
  }

  get ruleFaults(): readonly string[] {
    return this.#rules.faults;
  }

  get refusedRules(): number {
    return this.#rules.refused.length;
  }

  reloadRules(): Promise<RulesReload> {
    return this.#rules.reload();
  }

  get remembered(): number {
    return this.#sessions.bytes;
  }

  async restore(): Promise<void> {
    const { riskStore, clock } = this.#options;
    const risks = await riskStore.since(clock.now() - RESTORE_MS, RESTORE_SESSIONS);
    for (const risk of risks.toReversed()) this.#sessions.restore(risk);
  }

  async inspect(o: {
    readonly subject: Subject;
    readonly call: Call;
    readonly now: number;
    readonly deadlineMs: number;
    readonly purpose?: string | null;
  }): Promise<Verdict> {
    const { subject, call, now } = o;
    const session = this.#sessions.ofAgent(subject, now);
    session.calls += 1;
    if (typeof o.purpose === 'string') session.provenance.purpose(o.purpose);
    this.#options.recorder?.call(subject, call, now);
    const waitMs = this.#take(session, subject, now);
    const view = viewCall(call);
    const acts = call.kind === 'tool' && session.tools?.of(call.tool).acts === true;
    const deed = { ...deedOf(call, view), acts };
    const reads = onlyReads(deed.words) && !acts;
    const loading = this.#baselines.of(subject.tenant, subject.agentId);
    const [known, guard] = await Promise.all([
      loading instanceof Promise ? inTime(loading, o.deadlineMs, this.#onFault) : loading,
      this.#guard.call(session.guard, {
        tenant: subject.tenant,
        call,
        asks: !reads,
        deadlineMs: o.deadlineMs,
      }),
    ]);
    const { tenant, agentId } = subject;
    if (known !== null) this.#baselines.take(known, { tenant, agentId, ...outgoingOf(call), at: now });
    const labels = this.#labeller.ofCall(call, session.tools);
    const following = follow(session.provenance, deed);
    const input = {
      subject,
      call,
      view,
      session,
      ruleFindings: this.#matchRules(view, session, {
        agentId: subject.agentId,
        service: call.kind === 'tool' ? call.tool : call.service.name,
        callId: callIdOf(call),
        now,
      }),
      decoys: this.decoys.setOf(subject.tenant),
      decoyTool: this.bait.toolFinding(call, subject),
      labels,
      following,
      destinations: known?.destinations ?? null,
      habits: known?.habits ?? null,
      guard,
      reads,
      tooFast: waitMs > 0,
      now,
    };
    // What needs no waiting is looked at also when the rest came too late: a decoy passes under no setting.
    const findings = this.#heard(CHECKS.flatMap((check) => check(input)));
    const callId = callIdOf(call);
    session.provenance.call({ callId, ...following });
    session.flows.meet(labels, {
      what: call.kind === 'tool' ? call.tool : call.service.name,
      callId,
      at: now,
    });
    this.#sessions.settle(session, now);
    this.#sessions.addRisk(session, findings, now);
    const onLate = known === null || guard === 'late' ? this.#options.onLate : null;
    const responding = respond(this.#responses, {
      call: scoreOf(findings),
      session: this.#sessions.riskOf(subject, now).score,
    });
    const verdict = fuse({ findings, responding, thresholds: this.#thresholds, waitMs, onLate });
    if (known !== null && verdict.effect === 'allow') {
      this.#baselines.learn(known, { tenant, agentId, destination: view.destination, at: now });
    }
    return verdict;
  }

  async observe(o: {
    readonly subject: Subject;
    readonly phase: 'instruction' | 'call' | 'result';
    readonly callId: string;
    readonly tool: string;
    readonly text: string;
    readonly now: number;
  }): Promise<readonly Finding[]> {
    if (o.phase === 'instruction') {
      if (!this.#sessions.instruct(o.subject, o.text, o.now))
        throw new Refusal('scope_insufficient', { detail: OTHER_OWNER });
      this.#options.recorder?.text(o.subject, { ...o, phase: 'instruction' });
      return [];
    }
    if (o.phase === 'result') this.#options.recorder?.text(o.subject, { ...o, phase: 'result' });
    const session = this.#sessions.ofAgent(o.subject, o.now);
    const carried = session.provenance.carriedBy(o.callId);
    const findings = this.#heard(
      o.phase === 'call'
        ? this.#observeCall(session, o)
        : this.#observeResult(session, { ...o, agentId: o.subject.agentId }),
    );
    this.#sessions.addRisk(session, findings, o.now);
    if (o.phase === 'call') return findings;
    // Begun before anything is waited for: the session's next call has to see that it is under way.
    const judged = await this.#guard.result(session.guard, { ...o, tenant: o.subject.tenant, carried });
    this.#sessions.addRisk(session, judged.map(lessened), o.now);
    return [...findings, ...judged];
  }

  #heard(findings: readonly Finding[]): readonly Finding[] {
    const { without = [] } = this.#options;
    if (without.length === 0) return findings;
    return findings.filter(({ check }) => !without.some((part) => check.startsWith(part)));
  }

  /** A call that was made without asking: too late to stop, not too late to tell. */
  #observeCall(session: SessionState, { text }: { readonly text: string }): readonly Finding[] {
    return this.#decoysIn(session, text).map((decoy) =>
      decoyFinding(decoy, 'call that was observed', session.decoysRead.get(decoy.id)),
    );
  }

  /** To read a decoy is no harm; where it was read tells later where it leaked from. */
  #observeResult(
    session: SessionState,
    {
      callId,
      tool,
      text,
      agentId,
      now,
    }: {
      readonly callId: string;
      readonly tool: string;
      readonly text: string;
      readonly agentId: string;
      readonly now: number;
    },
  ): readonly Finding[] {
    for (const { id } of this.#decoysIn(session, text)) {
      if (!session.decoysRead.has(id) && session.decoysRead.size < MAX_SIGHTS)
        session.decoysRead.set(id, { tool, at: now });
    }
    session.provenance.result({ callId, tool, text });
    session.flows.meet(this.#labeller.ofTool(tool, session.tools), { what: tool, callId, at: now });
    this.#sessions.settle(session, now);
    return this.#matchRules(viewResult(tool, text), session, { agentId, service: tool, callId, now });
  }

  #matchRules(
    { on, fields, args }: View,
    { rules: state }: SessionState,
    who: Pick<Occasion, 'agentId' | 'service' | 'callId' | 'now'>,
  ): readonly Finding[] {
    return this.#rules.current().match({ event: new RuleEvent(on, fields, args), state, ...who });
  }

  #decoysIn({ tenant, sid }: SessionState, text: string): readonly DecoyRecord[] {
    const searched = text.length <= DECOY_TEXT_CHARS ? text : text.slice(0, DECOY_TEXT_CHARS);
    return this.decoys.setOf(tenant)?.findIn(Buffer.from(searched, 'utf8'), sid) ?? [];
  }

  riskOf(session: Pick<Subject, 'tenant' | 'sid' | 'agentId'>, now: number): SessionRisk {
    return this.#sessions.riskOf(session, now);
  }

  outboundScanner(subject: Subject): OutboundScanner {
    const session = this.#sessions.of(subject, this.#options.clock.now());
    return scanOutbound({
      set: this.decoys.setOf(subject.tenant),
      sid: subject.sid,
      sights: session.decoysRead,
      onFound: (finding) => this.#sessions.addRisk(session, [finding], this.#options.clock.now()),
    });
  }

  inspectStray({ subject, text, now }: { subject: Subject; text: string; now: number }): readonly Finding[] {
    const session = this.#sessions.ofAgent(subject, now);
    const findings = this.#decoysIn(session, text).map((decoy) =>
      decoyFinding(decoy, 'call to a place that no service is at', session.decoysRead.get(decoy.id)),
    );
    this.#sessions.addRisk(session, findings, now);
    return findings;
  }

  async plantInResult(o: {
    readonly subject: Subject;
    readonly callId: string;
    readonly tool: string;
    readonly text: string;
    readonly missing: boolean | null;
    readonly now: number;
  }): Promise<string | null> {
    const planted = await this.bait.inAnswer({ ...o, source: o.tool });
    if (planted === null) return null;
    const { decoysRead } = this.#sessions.ofAgent(o.subject, o.now);
    if (decoysRead.size < MAX_SIGHTS) decoysRead.set(planted.decoy.id, { tool: o.tool, at: o.now });
    return planted.text;
  }

  recordRefusal(subject: Subject, code: RefusalCode, now: number): void {
    // Being told to wait, or that the gate is busy, says nothing about the agent.
    if (!UNTELLING.has(code)) this.#sessions.of(subject, now).refusals.add(now);
  }

  describeTools(o: {
    readonly subject: Subject;
    readonly tools: Iterable<ToldTool>;
    readonly now: number;
  }): void {
    const session = this.#sessions.ofAgent(o.subject, o.now);
    session.tools = this.#catalogues.of(o.tools);
    this.#sessions.settle(session, o.now);
  }

  describeTool({ subject, tool, now }: Parameters<Detector['describeTool']>[0]): void {
    const session = this.#sessions.ofAgent(subject, now);
    const tools = this.#catalogues.adding(session.tools, tool);
    if (tools === session.tools) return;
    session.tools = tools;
    this.#sessions.settle(session, now);
  }

  toolList(call: HttpCall): { push(chunk: Uint8Array): void } {
    const reader = new ToolListReader();
    return {
      push: (chunk) => {
        const tools = reader.push(chunk);
        if (tools.length > 0) this.#labeller.learn(call, tools);
      },
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#refresh);
    await this.#rules.close();
    await this.#risks.flush();
    await this.#baselines.flush();
  }

  /** Counts the call against its session and its agent; how long it has to wait when it came too fast, else 0. */
  #take(session: SessionState, { tenant, agentId }: Subject, now: number): number {
    const buckets = [session.bucket, this.#agents.of(tenant, agentId, now)];
    const waitMs = Math.max(...buckets.map((bucket) => bucket.waitMs(now)));
    if (waitMs === 0) for (const bucket of buckets) bucket.take();
    return waitMs;
  }
}

/** One result in a hundred is taken for an injection wrongly: that alone must not put a session under suspicion. */
function lessened(finding: Finding): Finding {
  return { ...finding, score: finding.score * RESULT_SHARE };
}

function deedOf(call: Call, { fields }: View): Deed {
  const text = fields.get('text') ?? '';
  if (call.kind === 'tool') return deedOfTool(call.tool, valuesOf(call.args));
  return deedOfRequest({ method: call.method, host: call.origin.host, path: fields.get('path') ?? '', text });
}

/** How much a call sends, and by whose right. */
function outgoingOf(call: Call): { readonly bytesOut: number; readonly credential: string | null } {
  if (call.kind === 'tool') return { bytesOut: valuesOf(call.args).length, credential: null };
  const { body, service, query } = call;
  const bytes =
    body.kind === 'buffered' ? body.bytes.length : body.kind === 'stream' ? (body.length ?? 0) : 0;
  return { bytesOut: bytes + query.length, credential: service.credential };
}

/** The id that the call's result will come with. */
function callIdOf(call: Call): string {
  return call.kind === 'tool' ? call.hostCallId : call.id;
}

const UNTELLING: ReadonlySet<RefusalCode> = new Set([
  'throttled',
  'overloaded',
  'shutting_down',
  'detector_late',
  'audit_unavailable',
  'storage_unavailable',
  'approval_required',
  'passport_expired',
  'call_cut',
]);

/** Null when it takes longer, or fails: a check that can't answer leads to the configured verdict (G9). */
async function inTime<T>(
  work: Promise<T>,
  milliseconds: number,
  onFault: (fault: unknown) => void,
): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } catch (fault) {
    onFault(fault);
    return null;
  } finally {
    clearTimeout(timer);
  }
}
