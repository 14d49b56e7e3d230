import { Counter, Gauge, type Registry } from 'prom-client';
import type { GuardCounts } from '../../guard/index.ts';

/** What is asked of the guard when the numbers are fetched. */
export interface GuardGauges {
  readonly guardState: () => string;
  readonly guardCounts: () => GuardCounts;
  /** Counters of the engine that computes now, by name; null while there is none. */
  readonly guardStats: () => Promise<Readonly<Record<string, number>> | null>;
}

/** A metric that a counter of the engine stands for, and the value of its label, where it has one. */
interface Told {
  readonly metric: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly label?: string;
  /** Name of the engine's counter by the label's value; under `''` without one. */
  readonly of: Readonly<Record<string, string>>;
  /** The engine counts ms; Prometheus wants seconds. */
  readonly isMs?: true;
}

const ENGINE: readonly Told[] = [
  {
    metric: 'requests_total',
    help: 'Requests to the engine, by how they ended.',
    type: 'counter',
    label: 'outcome',
    of: { completed: 'completed', refused: 'refused', cancelled: 'cancelled', late: 'late' },
  },
  {
    metric: 'tokens_total',
    help: 'Tokens of requests: computed, or found behind a shared prefix.',
    type: 'counter',
    label: 'from',
    of: { computed: 'tokens', prefix: 'cachedTokens' },
  },
  { metric: 'passes_total', help: 'Passes through the model.', type: 'counter', of: { '': 'passes' } },
  {
    metric: 'compute_seconds_total',
    help: 'Time that passes took.',
    type: 'counter',
    of: { '': 'computeMs' },
    isMs: true,
  },
  {
    metric: 'waiting',
    help: 'Requests in the engine now.',
    type: 'gauge',
    label: 'state',
    of: { queued: 'queued', running: 'running' },
  },
  { metric: 'kv_bytes', help: 'Keys and values that are held.', type: 'gauge', of: { '': 'kvBytes' } },
  {
    metric: 'layers',
    help: 'Layers, by where they lie.',
    type: 'gauge',
    label: 'place',
    of: { device: 'layersOnDevice', pinned: 'layersPinned', disk: 'layersOnDisk' },
  },
  {
    metric: 'layers_streamed_total',
    help: 'Layers that passes took out of the ring.',
    type: 'counter',
    of: { '': 'layersStreamed' },
  },
  {
    metric: 'uploaded_bytes_total',
    help: 'Bytes of layers that went to the device, by where they lay.',
    type: 'counter',
    label: 'place',
    of: { pinned: 'uploadedPinnedBytes', disk: 'uploadedDiskBytes' },
  },
  {
    metric: 'stall_seconds_total',
    help: 'Time that passes waited for layers.',
    type: 'counter',
    of: { '': 'stallMs' },
    isMs: true,
  },
];

type LabelValues = Record<string, string>;

/** A fetch asks the engine once, whatever the number of metrics. */
const SAME_FETCH_MS = 500;

/** The numbers of the guard: its process, what came of texts, and the counters of its engine. */
export function addGuardMeters(registry: Registry, gauges: GuardGauges): void {
  const gauge = (name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void) =>
    new Gauge({
      name: `sallyport_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect() {
        read(this as Gauge);
      },
    });
  gauge('guard_state', '1 for the state that the guard model is in.', ['state'], (state) => {
    state.reset();
    state.set({ state: gauges.guardState() }, 1);
  });
  gauge('guard_texts', 'Texts for the guard model, by what came of them.', ['outcome'], (texts) => {
    const { scored, remembered, late, absent } = gauges.guardCounts();
    for (const [outcome, count] of Object.entries({ scored, remembered, late, absent }))
      texts.set({ outcome }, count);
  });
  gauge('guard_restarts', 'How often the process of the guard was started again.', [], (restarts) =>
    restarts.set(gauges.guardCounts().restarts),
  );
  const stats = askedOnce(gauges.guardStats);
  for (const one of ENGINE) addEngineMeter(registry, one, stats);
}

function addEngineMeter(registry: Registry, told: Told, stats: GuardGauges['guardStats']): void {
  const { metric, help, label, of, isMs } = told;
  const shape = {
    name: `sallyport_guard_engine_${metric}`,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
  };
  /** Without an engine there are no rows, rather than zeros; a new engine's counters begin anew, as Prometheus expects. */
  const fill = async (meter: Counter | Gauge, put: (labels: LabelValues, value: number) => void) => {
    const counted = await stats();
    for (const [value, name] of Object.entries(of)) {
      const labels: LabelValues = label === undefined ? {} : { [label]: value };
      meter.remove(labels);
      const count = counted?.[name];
      if (count !== undefined) put(labels, isMs ? count / 1000 : count);
    }
  };
  if (told.type === 'counter') {
    const counter: Counter = new Counter({
      ...shape,
      collect: () => fill(counter, (labels, value) => counter.inc(labels, value)),
    });
  } else {
    const level: Gauge = new Gauge({
      ...shape,
      collect: () => fill(level, (labels, value) => level.set(labels, value)),
    });
  }
}

function askedOnce<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<T> | null = null;
  return () => {
    const now = performance.now();
    if (answer === null || now - asked > SAME_FETCH_MS) {
      asked = now;
      answer = ask();
    }
    return answer;
  };
}
