import type { Effect, Finding, Subject, ToolCall } from '../../core/index.ts';
import { type Detector, type DetectorOptions, openDetector } from '../detector.ts';
import { hintsOf } from '../labels/index.ts';
import { effectOf, type Thresholds, thresholdsOf } from '../profiles.ts';
import { combined } from '../risk.ts';
import type { BaselineStore, DecoyRecord, DecoyStore, RiskStore } from '../store.ts';
import type { TextItem, Trace } from './trace.ts';

/** What the detector said of one event, having seen only what came before it. */
export interface ReplayLine {
  readonly traceId: string;
  readonly seq: number;
  readonly callId: string;
  readonly phase: 'call' | 'result';
  readonly score: number;
  readonly decision: Effect;
  readonly findings: readonly { readonly check: string; readonly score: number; readonly evidence: string }[];
}

export interface TextLine {
  readonly id: string;
  readonly score: number;
  readonly decision: Effect;
}

/** Replays recorded sessions through the detector that scores live calls. */
export interface Replay {
  trace(trace: Trace): AsyncIterable<ReplayLine>;
  /** A text of its own, read as a tool's result in a session of its own. */
  text(text: TextItem): Promise<TextLine>;
  close(): Promise<void>;
}

const TENANT = 'replay';
const STEP_MS = 1_000;
/** Replays are not live: nothing has to be answered in time. */
const DEADLINE_MS = 60_000;

/** Opens a detector without a past: no decoys but those that are asked for, no baselines, no risks, nothing kept. Throws RuleError. */
export async function openReplay(
  o: Pick<DetectorOptions, 'rulesDirectory' | 'profile'> &
    Partial<Pick<DetectorOptions, 'guard' | 'labels' | 'holdFrom' | 'denyFrom' | 'without'>> & {
      /** So many decoys of other sessions are looked for; default: none. */
      readonly decoys?: number;
    },
): Promise<Replay> {
  const thresholds = thresholdsOf(o.profile, o);
  let now = 0;
  const detector = await openDetector({
    decoyStore: memoryDecoys(),
    baselineStore: NO_BASELINES,
    riskStore: NO_RISKS,
    ...o,
    onLate: 'deny',
    // Recorded sessions don't say how fast they were.
    rate: { burst: 1_000_000, perSecond: 1_000_000 },
    clock: { now: () => now },
    audit: async () => undefined,
  });
  await plant(detector, o.decoys ?? 0);
  const tick = (): number => {
    now += STEP_MS;
    return now;
  };
  return {
    trace: (trace) => replayTrace(detector, thresholds, trace, tick),
    async text({ id, text }) {
      const findings = await detector.observe({
        ...result(subjectOf(`text ${id}`), id, 'text', text),
        now: tick(),
      });
      const { score, decision } = judged(findings, thresholds);
      return { id, score, decision };
    },
    close: () => detector.close(),
  };
}

async function* replayTrace(
  detector: Detector,
  thresholds: Thresholds,
  trace: Trace,
  tick: () => number,
): AsyncIterable<ReplayLine> {
  const subject = subjectOf(`trace ${trace.id}`);
  const tools = new Map<string, string>();
  const told = trace.tools.map(({ name, annotations }) => ({ name, hints: hintsOf(annotations) }));
  if (told.some(({ hints }) => Object.keys(hints).length > 0))
    detector.describeTools({ subject, tools: told, now: tick() });
  for (const event of trace.events) {
    const now = tick();
    if (event.kind === 'instruction') {
      await detector.observe({
        subject,
        phase: 'instruction',
        callId: '',
        tool: '',
        text: event.text,
        now,
      });
      continue;
    }
    const { seq, callId } = event;
    if (event.kind === 'call') {
      tools.set(callId, event.tool);
      const call: ToolCall = {
        kind: 'tool',
        id: `call_${seq}`,
        tenant: subject.tenant,
        door: 'decide',
        receivedAt: now,
        tool: event.tool,
        args: event.args,
        hostSessionId: trace.id,
        hostCallId: callId,
      };
      const { score, effect, findings } = await detector.inspect({
        subject,
        call,
        now,
        deadlineMs: DEADLINE_MS,
      });
      yield {
        traceId: trace.id,
        seq,
        callId,
        phase: 'call',
        score,
        decision: effect,
        findings: shown(findings),
      };
    } else {
      const tool = tools.get(callId) ?? 'unknown';
      const findings = await detector.observe({ ...result(subject, callId, tool, event.text), now });
      yield {
        traceId: trace.id,
        seq,
        callId,
        phase: 'result',
        ...judged(findings, thresholds),
        findings: shown(findings),
      };
    }
  }
}

/** Results are never held back; `hold` says that the next call of the session would be looked at with suspicion. */
function judged(
  findings: readonly Finding[],
  thresholds: Thresholds,
): { readonly score: number; readonly decision: Effect } {
  const score = combined(findings.map((finding) => finding.score));
  return { score, decision: effectOf(score, thresholds) === 'allow' ? 'allow' : 'hold' };
}

function shown(findings: readonly Finding[]): ReplayLine['findings'] {
  return findings.map(({ check, score, evidence }) => ({ check, score, evidence }));
}

function result(subject: Subject, callId: string, tool: string, text: string) {
  return { subject, phase: 'result', callId, tool, text } as const;
}

function subjectOf(sid: string): Subject {
  return { tenant: TENANT, agentId: 'replay', owner: 'replay', user: null, sid, chain: [] };
}

/** Forms that decoys have, by words of their names. */
const FORMS = ['github', 'npm', 'gitlab', 'aws', 'stripe', 'anthropic', 'openai', 'slack', 'backup'] as const;

/** What recorded sessions have never read: whatever of it is found in them is a false alarm. */
async function plant({ decoys }: Detector, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    const name = FORMS[at % FORMS.length] ?? FORMS[0];
    await decoys.plantFor({ tenant: TENANT, sid: `decoy ${at}`, name, place: 'beside the replay' });
  }
}

function memoryDecoys(): DecoyStore {
  const planted: DecoyRecord[] = [];
  return {
    insert: async (decoy) => planted.push(decoy) > 0,
    all: async () => planted,
    mark: async () => String(planted.length),
    list: async () => planted,
    delete: async () => false,
    deleteOlderThan: async () => 0,
  };
}

const NO_BASELINES: BaselineStore = {
  destinations: async () => new Map(),
  addDestination: async () => undefined,
  habits: async () => null,
  putHabits: async () => undefined,
};
const NO_RISKS: RiskStore = {
  since: async () => [],
  put: async () => undefined,
  deleteOlderThan: async () => 0,
};
