import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, Call, CallBody, HttpCall, Subject, ToolCall } from '../../../src/core/index.ts';
import { type Detector, type DetectorOptions, openDetector } from '../../../src/detector/index.ts';
import { openStorage, type Storage } from '../../../src/storage/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

export const subject: Subject = {
  tenant: 'default',
  agentId: 'agent_1',
  owner: 'platform',
  user: 'anna',
  sid: 'sid_1',
  chain: ['hop_1'],
};

const origin = { scheme: 'https', host: 'api.example.com', port: 443 } as const;

export function httpCall(overrides: Partial<HttpCall> = {}): HttpCall {
  return {
    kind: 'http',
    id: 'call_1',
    tenant: 'default',
    door: 'reverse',
    receivedAt: 0,
    service: {
      tenant: 'default',
      name: 'api',
      origins: [origin],
      credential: null,
      encodedSlash: 'refuse',
      allowPrivate: false,
      upstreamCa: null,
      inspectBody: false,
    },
    origin,
    method: 'GET',
    path: '/v1/things',
    query: '',
    headers: [],
    body: { kind: 'none' },
    ...overrides,
  };
}

export function toolCall(tool: string, args: ToolCall['args']): ToolCall {
  return {
    kind: 'tool',
    id: 'call_2',
    tenant: 'default',
    door: 'decide',
    receivedAt: 0,
    tool,
    args,
    hostSessionId: 'host',
    hostCallId: 'c1',
  };
}

export function bodyOf(text: string | Uint8Array): CallBody {
  return { kind: 'buffered', bytes: typeof text === 'string' ? Buffer.from(text) : text, digest: 'x' };
}

/** A real detector on a real database, with a clock that stands until it is moved. */
export class Bench {
  readonly folder: string;
  readonly storage: Storage;
  readonly events: AuditEvent[] = [];
  readonly faults: unknown[] = [];
  now = Date.parse('2026-11-23T12:00:00Z');
  #opened: Detector[] = [];

  constructor(folder: string, storage: Storage) {
    this.folder = folder;
    this.storage = storage;
  }

  static async start(): Promise<Bench> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-detector-'));
    const file = join(folder, 'test.db');
    return new Bench(folder, await openStorage({ kind: 'sqlite', file, durability: 'process' }));
  }

  async open(overrides: Partial<DetectorOptions> = {}): Promise<Detector> {
    const detector = await openDetector({
      decoyStore: this.storage.decoys,
      baselineStore: this.storage.baselines,
      riskStore: this.storage.risks,
      rulesDirectory: join(repositoryRoot, 'policies/detection'),
      profile: 'balanced',
      onLate: 'deny',
      rate: { burst: 1000, perSecond: 100 },
      clock: { now: () => this.now },
      audit: async (event) => this.events.push(event),
      onFault: (fault) => this.faults.push(fault),
      ...overrides,
    });
    this.#opened.push(detector);
    return detector;
  }

  inspect(detector: Detector, call: Call, who: Subject = subject) {
    return detector.inspect({ subject: who, call, now: this.now, deadlineMs: 1000 });
  }

  read(detector: Detector, text: string, who: Subject = subject) {
    return detector.observe({
      subject: who,
      phase: 'result',
      callId: 'c',
      tool: 'fetch',
      text,
      now: this.now,
    });
  }

  async end(): Promise<void> {
    for (const detector of this.#opened) await detector.close();
    await this.storage.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
