import type { AppendFile, AuditFiles } from '../../../src/audit/index.ts';
import { nodeFiles } from '../../../src/audit/index.ts';

type Step = 'write' | 'sync' | 'writeWhole' | 'syncDirectory';

/** Real files that count what is done to segments, and fail where a test says so. */
export class FailingFiles implements AuditFiles {
  readonly counts: Record<Step, number> = { write: 0, sync: 0, writeWhole: 0, syncDirectory: 0 };
  /** The fault of the next such step, and how many bytes of a write still reach the disk. */
  readonly #faults = new Map<Step, { readonly code: string; readonly bytes: number }>();

  failNext(step: Step, code: string, bytes = 0): void {
    this.#faults.set(step, { code, bytes });
  }

  async openAppend(file: string): Promise<AppendFile> {
    const real = await nodeFiles.openAppend(file);
    return {
      write: async (bytes) => {
        const fault = this.#take('write');
        if (fault === null) return await real.write(bytes);
        await real.write(bytes.subarray(0, fault.bytes));
        throw errorWith(fault.code, 'write');
      },
      sync: async () => {
        this.#step('sync');
        await real.sync();
      },
      close: () => real.close(),
    };
  }

  async writeWhole(file: string, bytes: Uint8Array): Promise<void> {
    this.#step('writeWhole');
    await nodeFiles.writeWhole(file, bytes);
  }

  async syncDirectory(directory: string): Promise<void> {
    this.#step('syncDirectory');
    await nodeFiles.syncDirectory(directory);
  }

  #step(step: Step): void {
    const fault = this.#take(step);
    if (fault !== null) throw errorWith(fault.code, step);
  }

  #take(step: Step): { readonly code: string; readonly bytes: number } | null {
    this.counts[step] += 1;
    const fault = this.#faults.get(step) ?? null;
    this.#faults.delete(step);
    return fault;
  }
}

function errorWith(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${call}`), { code });
}
