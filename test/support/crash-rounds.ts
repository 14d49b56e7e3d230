import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  loadCheckpointPublicKey,
  readAuditDirectory,
  type VerifyReport,
  verifyAuditLog,
} from '../../src/audit/index.ts';
import { type CrashScene, load, setCrashScene } from './crash-load.ts';
import { seededRandom } from './random.ts';
import {
  admin,
  launchServiceProcess,
  newHome,
  type ProcessOptions,
  removeHome,
  type ServiceProcess,
  startServiceProcess,
} from './service-process.ts';

const LONGEST_LOAD_MS = 900;
const LONGEST_WAIT_MS = 10_000;
/** How long the outbox gets for what is undelivered after the last round. */
const DELIVERY_MS = 60_000;

export interface Round {
  readonly number: number;
  /** `serving`: under full load; `starting`: while it recovered from the kill before. */
  readonly when: 'serving' | 'starting';
  /** From the first answered call, or from the start of the process. */
  readonly afterMs: number;
  readonly records: number;
  /** Null: the chain is whole. */
  readonly broken: VerifyReport['firstBroken'];
}

export interface RunOptions {
  readonly home?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly process?: ProcessOptions;
}

export interface Losses {
  /** A line for each thing that was acknowledged and is gone. */
  readonly lost: readonly string[];
  readonly checked: Readonly<Record<string, number>>;
}

/**
 * One installation that is killed again and again: every second time under load, every second time at a random
 * point of the start that follows. What was acknowledged is remembered here, outside of it.
 */
export class CrashRun {
  readonly #random: () => number;
  readonly #home: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly scene: CrashScene;
  #service: ServiceProcess | null;
  #startMs: number;
  #process: ProcessOptions;
  #number = 0;

  private constructor(o: {
    readonly home: string;
    readonly service: ServiceProcess;
    readonly scene: CrashScene;
    readonly seed: number;
    readonly startMs: number;
    readonly options: RunOptions;
  }) {
    this.#home = o.home;
    this.#service = o.service;
    this.scene = o.scene;
    this.#random = seededRandom(o.seed);
    this.#startMs = o.startMs;
    this.#process = o.options.process ?? {};
    this.#settings = {
      ...o.options.settings,
      SALLYPORT_CONTROL_PORT: new URL(o.service.controlUrl).port,
      SALLYPORT_GATEWAY_PORT: new URL(o.service.gatewayUrl).port,
    };
  }

  /** `home`: an empty state folder; one is made when none is given. */
  static async begin(seed: number, o: RunOptions = {}): Promise<CrashRun> {
    const home = o.home ?? (await newHome());
    const before = performance.now();
    const service = await startServiceProcess(home, o.settings, o.process);
    const startMs = performance.now() - before;
    return new CrashRun({ home, service, scene: await setCrashScene(service), seed, startMs, options: o });
  }

  get home(): string {
    return this.#home;
  }

  /** The service, started when it is not running. `process`: how it is started from now on. */
  async up(process?: ProcessOptions): Promise<ServiceProcess> {
    if (process !== undefined) this.#process = process;
    if (this.#service !== null) return this.#service;
    const before = performance.now();
    this.#service = await startServiceProcess(this.#home, this.#settings, this.#process);
    this.#startMs = performance.now() - before;
    return this.#service;
  }

  /** Ends the service; gives its exit code. */
  async down(signal: NodeJS.Signals): Promise<number | null> {
    const service = this.#service;
    this.#service = null;
    return (await service?.end(signal)) ?? null;
  }

  async round(): Promise<Round> {
    this.#number += 1;
    this.scene.acknowledged.round = this.#number;
    const killed = this.#number % 2 === 1 ? await this.#killServing() : await this.#killStarting();
    const { records, firstBroken } = await this.verify();
    return { number: this.#number, ...killed, records, broken: firstBroken };
  }

  async verify(): Promise<VerifyReport> {
    const publicKey = await loadCheckpointPublicKey(join(this.#home, 'keys'));
    const directory = join(this.#home, 'data/audit');
    return verifyAuditLog({ directory, ...(publicKey === null ? {} : { publicKey }) });
  }

  /** What is missing of all that was acknowledged. */
  async losses(): Promise<Losses> {
    const service = await this.up();
    const { acknowledged } = this.scene;
    const log = await this.#readLog();
    const credentials = await listed(service, '/credentials');
    const agents = await listed(service, '/agents');
    const revocations = await listed(service, '/revocations');
    const inState = (items: readonly Item[], status: string) =>
      namesOf(items.filter((item) => item.status === status));
    const found: readonly (readonly [string, ReadonlyMap<string, number>, ReadonlySet<string>])[] = [
      ['call', acknowledged.seenUpstream, log.permitted],
      ['refusal', acknowledged.decoyRefusals, log.refused],
      ['credential', acknowledged.credentials, namesOf(credentials)],
      ['revoked credential', acknowledged.revokedCredentials, inState(credentials, 'revoked')],
      ['agent', acknowledged.agents, namesOf(agents)],
      ['quarantine', acknowledged.quarantined, inState(agents, 'quarantined')],
      ['revocation', acknowledged.revocations, new Set(revocations.map(({ value }) => String(value)))],
    ];
    const lost = found.flatMap(([kind, wanted, there]) =>
      [...wanted].flatMap(([name, round]) => (there.has(name) ? [] : [`${kind} ${name} of round ${round}`])),
    );
    const undelivered = await this.#undelivered(log.alerts);
    const checked = Object.fromEntries(found.map(([kind, wanted]) => [kind, wanted.size]));
    return {
      lost: [...lost, ...undelivered.map((id) => `alert ${id}: never delivered`)],
      checked: { ...checked, alert: log.alerts.size },
    };
  }

  async end(): Promise<void> {
    await this.down('SIGKILL');
    this.scene.close();
    await removeHome(this.#home);
  }

  async #killServing(): Promise<Pick<Round, 'when' | 'afterMs'>> {
    const service = await this.up();
    const stop = new AbortController();
    const before = this.scene.acknowledged.calls;
    const loading = load(service, this.scene, stop.signal).catch(() => {});
    // A busy machine takes its time to get going; the random moment counts from there.
    const until = performance.now() + LONGEST_WAIT_MS;
    while (this.scene.acknowledged.calls === before && performance.now() < until) await sleep(5);
    const afterMs = this.#random() * LONGEST_LOAD_MS;
    await sleep(afterMs);
    await this.down('SIGKILL');
    stop.abort();
    await loading;
    return { when: 'serving', afterMs };
  }

  async #killStarting(): Promise<Pick<Round, 'when' | 'afterMs'>> {
    const launched = launchServiceProcess(this.#home, this.#settings, this.#process);
    // The first third is spent on loading the program, where nothing can be lost.
    const afterMs = this.#startMs * (0.3 + 0.7 * this.#random());
    await sleep(afterMs);
    await launched.end('SIGKILL');
    return { when: 'starting', afterMs };
  }

  async #readLog() {
    const permitted = new Set<string>();
    const refused = new Set<string>();
    const alerts = new Set<string>();
    const calls = new Map<string, string>();
    for await (const { event } of readAuditDirectory(join(this.#home, 'data/audit'))) {
      if (event.type === 'call.permitted') {
        const path = pathOf(event.data.call.target);
        permitted.add(path);
        calls.set(event.data.call.id, path);
      }
      // A decoy is seen in the first bytes of the body, or while it streams.
      if (event.type === 'call.refused' && event.data.call !== null)
        refused.add(pathOf(event.data.call.target));
      if (event.type === 'call.failed') refused.add(calls.get(event.data.callId) ?? '');
      if (event.type === 'alert.raised') alerts.add(event.data.alertId);
    }
    return { permitted, refused, alerts };
  }

  async #undelivered(alerts: ReadonlySet<string>): Promise<string[]> {
    const until = performance.now() + DELIVERY_MS;
    for (;;) {
      const missing = [...alerts].filter((id) => !this.scene.acknowledged.delivered.has(id));
      if (missing.length === 0 || performance.now() > until) return missing;
      await sleep(250);
    }
  }
}

/** `POST https://host/path` as a record has it. */
function pathOf(target: string): string {
  return new URL(target.split(' ')[1] ?? '').pathname;
}

type Item = Readonly<Record<string, unknown>>;

function namesOf(items: readonly Item[]): Set<string> {
  return new Set(items.map(({ name }) => String(name)));
}

async function listed(service: ServiceProcess, path: string): Promise<Item[]> {
  const found: Item[] = [];
  let after = '';
  for (;;) {
    const { json } = await admin(service, 'GET', `${path}?limit=200${after}`);
    found.push(...(json.items as Item[]));
    if (json.next === null) return found;
    after = `&cursor=${encodeURIComponent(String(json.next))}`;
  }
}
