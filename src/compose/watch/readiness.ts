/** What must work before calls are sent here. */
export type Part = 'database' | 'audit' | 'keys' | 'policy' | 'guard';
export type ReadyReport = {
  readonly ready: boolean;
  /** `true`: ready. Names and nothing more: who asks need not show who he is. */
  readonly parts: Readonly<Record<Part | 'running', boolean>>;
};

const PART_TIMEOUT_MS = 2_000;
/** Probes of many balancers must not become load on the database. */
const FRESH_MS = 1_000;

/** Whether calls should be sent to this node. */
export class Readiness {
  readonly #checks: Readonly<Record<Part, () => boolean | Promise<boolean>>>;
  #stopping = false;
  #asked: { readonly at: number; readonly report: Promise<ReadyReport> } | null = null;

  constructor(checks: Readonly<Record<Part, () => boolean | Promise<boolean>>>) {
    this.#checks = checks;
  }

  /** From now on the answer is no. */
  stop(): void {
    this.#stopping = true;
    this.#asked = null;
  }

  ask(): Promise<ReadyReport> {
    const now = performance.now();
    if (this.#asked === null || now - this.#asked.at > FRESH_MS)
      this.#asked = { at: now, report: this.#look() };
    return this.#asked.report;
  }

  async #look(): Promise<ReadyReport> {
    const [database, audit, keys, policy, guard] = await Promise.all([
      holds(this.#checks.database),
      holds(this.#checks.audit),
      holds(this.#checks.keys),
      holds(this.#checks.policy),
      // A guard that is required and gone makes every call late.
      holds(this.#checks.guard),
    ]);
    const parts = { database, audit, keys, policy, guard, running: !this.#stopping };
    return { ready: Object.values(parts).every((part) => part), parts };
  }
}

async function holds(check: () => boolean | Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PART_TIMEOUT_MS);
  });
  try {
    return await Promise.race([(async () => check())(), late]);
  } catch {
    // Why it fails is told where it failed; here it counts that it does.
    return false;
  } finally {
    clearTimeout(timer);
  }
}
