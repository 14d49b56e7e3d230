import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 60_000;

/** A process of the benchmark: everything that is measured has one of its own. */
export class Child {
  readonly #process: ChildProcess;
  readonly ready: Record<string, unknown>;

  /** Starts `bench/<script>` with one JSON argument; resolves with what it sends first. */
  static async start(script: string, input: unknown, execArgv: readonly string[] = []): Promise<Child> {
    const file = fileURLToPath(new URL(`../${script}`, import.meta.url));
    const child = fork(file, [JSON.stringify(input)], {
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    child.stdout?.on('data', (bytes: Buffer) => (output = (output + bytes).slice(-4000)));
    child.stderr?.on('data', (bytes: Buffer) => (output = (output + bytes).slice(-4000)));
    const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${script} did not start:\n${output}`)),
        START_TIMEOUT_MS,
      );
      child.once('message', (message) => {
        clearTimeout(timer);
        resolve(message as Record<string, unknown>);
      });
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`${script} ended with ${code}:\n${output}`));
      });
    });
    return new Child(child, ready);
  }

  private constructor(child: ChildProcess, ready: Record<string, unknown>) {
    this.#process = child;
    this.ready = ready;
    child.setMaxListeners(0);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Sends one message and gives the answer to it. Rejects with what the child says went wrong. */
  ask<T>(message: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the process ended'));
      this.#process.once('exit', gone);
      this.#process.once('message', (answer) => {
        this.#process.off('exit', gone);
        const { fault, value } = answer as { fault?: string; value?: T };
        if (fault === undefined) resolve(value as T);
        else reject(new Error(fault));
      });
      this.#process.send(message as object);
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }
}

/** In a child: the JSON that it was started with. */
export function childInput<T>(): T {
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

/** In a child: tells the parent that it serves. Ends with the parent. */
export function tellReady(value: Record<string, unknown>): void {
  process.on('disconnect', () => process.exit(0));
  process.send?.(value);
}

/** In a child: answers each message of the parent. */
export function answerMessages(handle: (message: never) => Promise<unknown>): void {
  process.on('message', (message: unknown) => {
    handle(message as never).then(
      (value) => process.send?.({ value }),
      (fault: unknown) =>
        process.send?.({ fault: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) }),
    );
  });
}

/** Memory of a process that is resident, MiB; null where the system does not tell. */
export function residentMiB(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Number(kib) / 1024;
  } catch {
    return null;
  }
}

/** Processor time of a process so far, all its threads, milliseconds; null where the system does not tell. */
export function processorMs(pid: number): number | null {
  try {
    const threads = `/proc/${pid}/task`;
    return readdirSync(threads)
      .map((thread) => Number(readFileSync(`${threads}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
      .reduce((sum, one) => sum + one, 0);
  } catch {
    return null;
  }
}
