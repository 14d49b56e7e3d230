import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/index.ts';
import { DEFAULT_COMPUTE, type OpenGuard, openGuard } from '../../src/guard/index.ts';

const START_MS = 30_000;

/** The guard that a default install has, in its own process; or why there is none. */
export async function openShippedGuard(): Promise<
  { readonly guard: OpenGuard; close(): Promise<void> } | { readonly missing: string }
> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
  const guard = openGuard({
    settings: {
      ...DEFAULT_COMPUTE,
      enabled: true,
      model: null,
      sha256: null,
      preset: null,
      required: false,
      deadlineMs: 60_000,
      memoryBytes: null,
      remote: null,
      cascadeModel: null,
      cascadeSha256: null,
      cascadePreset: null,
      cascadeFrom: 0,
      cascadeBelow: 1,
    },
    home,
    data: home,
    programRoot: join(import.meta.dirname, '../..'),
    clock: systemClock,
    onFault: (fault) => console.error(fault),
  });
  const close = async () => {
    await guard.close();
    await rm(home, { recursive: true, force: true });
  };
  await guard.settled(START_MS);
  const { status } = guard;
  if (status.kind === 'ready') return { guard, close };
  await close();
  const reason = 'reason' in status ? `: ${status.reason}` : '';
  return { missing: `no guard model works here (${status.kind}${reason})` };
}
