import { BenchService } from '../sallyport/service.ts';
import { labelsOf } from './sallyport-targets.ts';
import type { Absent } from './target.ts';

/** One way to run the gate. */
export interface Variant {
  readonly auth: 'dpop' | 'bearer';
  readonly guard: 'on' | 'off';
  readonly audit: 'process' | 'power';
}

export const VARIANTS: readonly Variant[] = [
  { auth: 'dpop', guard: 'off', audit: 'process' },
  { auth: 'dpop', guard: 'off', audit: 'power' },
  { auth: 'bearer', guard: 'off', audit: 'process' },
  { auth: 'dpop', guard: 'on', audit: 'process' },
];

/** The gate as the variant says; what is absent when no guard model works here. */
export async function startVariant(
  { auth, guard, audit }: Variant,
  profile: string | null,
): Promise<BenchService | readonly Absent[]> {
  const service = await BenchService.start({
    audit,
    profile,
    environment: {
      SALLYPORT_GUARD_ENABLED: String(guard === 'on'),
      SALLYPORT_GATEWAY_BEARER: auth === 'bearer' ? 'loopback' : 'never',
    },
  });
  if (guard === 'off') return service;
  const { kind, reason } = await service.guard();
  if (kind === 'ready') return service;
  await service.stop();
  const skipped = `no guard model works here (${kind}${reason === undefined ? '' : `: ${reason}`})`;
  return (['reverse', 'intercept'] as const).map((mode) => ({
    labels: labelsOf(mode, { auth, guard, audit }),
    skipped,
  }));
}
