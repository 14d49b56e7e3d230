import type {
  AuditEvent,
  Call,
  Clock,
  Effect,
  Finding,
  RefusalCode,
  SessionRisk,
  Subject,
  Verdict,
} from '../core/index.ts';
import { Baselines } from './baseline.ts';
import { CHECKS } from './checks/index.ts';
import { Decoys } from './decoys.ts';
import { fuse } from './fuse.ts';
import { type OutboundScanner, scanOutbound } from './outbound-scanner.ts';
import { PROFILES, type Profile } from './profiles.ts';
import { RiskWriter } from './risk-writer.ts';
import type { CompiledRule } from './rules/compile.ts';
import { loadRules } from './rules/load.ts';
import { matchRules } from './rules/match.ts';
import { type SessionState, Sessions } from './session.ts';
import type { BaselineStore, DecoyStore, RiskStore } from './store.ts';
import { viewCall, viewResult } from './view.ts';

export interface DetectorOptions {
  readonly decoyStore: DecoyStore;
  readonly baselineStore: BaselineStore;
  readonly riskStore: RiskStore;
  /** Folder of the detection rules. */
  readonly rulesDirectory: string;
  readonly profile: Profile;
  /** Verdict when the deadline passes first (G9). */
  readonly onLate: Effect;
  /** A session's calls: so many at once, and then so many a second. */
  readonly rate: { readonly burst: number; readonly perSecond: number };
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Told of what happens in the background. */
  readonly onFault?: (fault: unknown) => void;
}

export interface Detector {
  readonly profile: Profile;
  readonly rules: number;
  readonly decoys: Decoys;
  /** Scores a call before it is made. Never throws for what a call holds. */
  inspect(o: {
    readonly subject: Subject;
    readonly call: Call;
    readonly now: number;
    readonly deadlineMs: number;
  }): Promise<Verdict>;
  /** Takes in what the agent is told: results change the session's risk. Instructions are the user's, and trusted. */
  observe(o: {
    readonly subject: Subject;
    readonly phase: 'instruction' | 'call' | 'result';
    readonly callId: string;
    readonly tool: string;
    readonly text: string;
    readonly now: number;
  }): Promise<readonly Finding[]>;
  riskOf(tenant: string, sid: string, now: number): SessionRisk;
  outboundScanner(subject: Subject): OutboundScanner;
  recordRefusal(subject: Subject, code: RefusalCode, now: number): void;
  /** Waits for what is still to be written. */
  close(): Promise<void>;
}

const LATE_RETRY_MS = 1_000;
/** Risks older than this have decayed to nothing. */
const RESTORE_MS = 24 * 60 * 60 * 1000;
const RESTORE_SESSIONS = 10_000;
const DECOY_REFRESH_MS = 5_000;

/** Opens the detector. Throws RuleError, which names every broken rule. */
export async function openDetector(options: DetectorOptions): Promise<Detector> {
  const rules = await loadRules(options.rulesDirectory);
  const decoys = await Decoys.open({ store: options.decoyStore, clock: options.clock, audit: options.audit });
  const detector = new CanaryDetector(options, rules, decoys);
  await detector.restore();
  return detector;
}

class CanaryDetector implements Detector {
  readonly profile: Profile;
  readonly decoys: Decoys;
  readonly #options: DetectorOptions;
  readonly #rules: readonly CompiledRule[];
  readonly #sessions: Sessions;
  readonly #baselines: Baselines;
  readonly #risks: RiskWriter;
  readonly #onFault: (fault: unknown) => void;
  readonly #refresh: NodeJS.Timeout;

  constructor(options: DetectorOptions, rules: readonly CompiledRule[], decoys: Decoys) {
    this.profile = options.profile;
    this.decoys = decoys;
    this.#options = options;
    this.#rules = rules;
    this.#onFault = options.onFault ?? (() => {});
    this.#risks = new RiskWriter(options.riskStore, this.#onFault);
    this.#baselines = new Baselines(options.baselineStore, this.#onFault);
    this.#sessions = new Sessions({ burst: options.rate.burst, onRisk: (state) => this.#risks.add(state) });
    // Decoys that another node planted are looked for here soon after.
    this.#refresh = setInterval(() => void decoys.refresh().catch(this.#onFault), DECOY_REFRESH_MS).unref();
  }

  get rules(): number {
    return this.#rules.length;
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
  }): Promise<Verdict> {
    const { subject, now } = o;
    const session = this.#sessions.of(subject, now);
    const waitMs = this.#take(session, now);
    if (!session.lastRefused) session.refusalsInRow = 0;
    session.lastRefused = false;
    session.calls += 1;

    const known = this.#baselines.of(subject.tenant, subject.agentId);
    const destinations = known instanceof Map ? known : await inTime(known, o.deadlineMs);
    if (destinations === null) return this.#late();
    const view = viewCall(o.call);
    const input = {
      subject,
      call: o.call,
      view,
      session,
      rules: this.#rules,
      decoys: this.decoys.setOf(subject.tenant),
      destinations,
      tooFast: waitMs !== null,
      now,
    };
    const findings = CHECKS.flatMap((check) => check(input));
    this.#sessions.addRisk(
      session,
      findings.map((finding) => finding.score),
      now,
    );
    const verdict = fuse({ findings, thresholds: PROFILES[this.profile], waitMs });
    if (verdict.effect === 'allow') {
      const { tenant, agentId } = subject;
      this.#baselines.learn(destinations, { tenant, agentId, destination: view.destination, at: now });
    }
    return verdict;
  }

  async observe(o: {
    readonly subject: Subject;
    readonly phase: 'instruction' | 'call' | 'result';
    readonly tool: string;
    readonly text: string;
    readonly now: number;
  }): Promise<readonly Finding[]> {
    if (o.phase !== 'result') return [];
    const findings = matchRules(this.#rules, viewResult(o.tool, o.text));
    this.#sessions.addRisk(
      this.#sessions.of(o.subject, o.now),
      findings.map((finding) => finding.score),
      o.now,
    );
    return findings;
  }

  riskOf(tenant: string, sid: string, now: number): SessionRisk {
    return this.#sessions.riskOf(tenant, sid, now);
  }

  outboundScanner(subject: Subject): OutboundScanner {
    return scanOutbound(this.decoys.setOf(subject.tenant), (finding) => {
      const now = this.#options.clock.now();
      this.#sessions.addRisk(this.#sessions.of(subject, now), [finding.score], now);
    });
  }

  recordRefusal(subject: Subject, code: RefusalCode, now: number): void {
    // Being told to wait, or that the gate is busy, says nothing about the agent.
    if (UNTELLING.has(code)) return;
    const session = this.#sessions.of(subject, now);
    session.refusalsInRow += 1;
    session.lastRefused = true;
  }

  async close(): Promise<void> {
    clearInterval(this.#refresh);
    await this.#risks.flush();
    await this.#baselines.flush();
  }

  /** Takes a call out of the session's bucket; the wait in milliseconds when it is empty, else null. */
  #take(session: SessionState, now: number): number | null {
    const { burst, perSecond } = this.#options.rate;
    const refill = (Math.max(0, now - session.tokensAt) * perSecond) / 1000;
    session.tokens = Math.min(burst, session.tokens + refill);
    session.tokensAt = now;
    if (session.tokens >= 1) {
      session.tokens -= 1;
      return null;
    }
    return Math.ceil(((1 - session.tokens) * 1000) / perSecond);
  }

  #late(): Verdict {
    const { onLate } = this.#options;
    return { effect: onLate, score: 0, findings: [], retryAfterMs: LATE_RETRY_MS, late: true };
  }
}

const UNTELLING: ReadonlySet<RefusalCode> = new Set([
  'throttled',
  'overloaded',
  'shutting_down',
  'detector_late',
  'audit_unavailable',
  'approval_required',
  'passport_expired',
  'call_cut',
]);

/** Null when it takes longer, or fails. */
async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } catch {
    // A check that can't answer is a check that is missing: the configured verdict, never "allow" by accident.
    return null;
  } finally {
    clearTimeout(timer);
  }
}
