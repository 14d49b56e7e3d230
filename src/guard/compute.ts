import { z } from 'zod';

export const BACKENDS = ['auto', 'cpu', 'cuda', 'simulated'] as const;
export const STREAMING = ['auto', 'resident', 'pinned', 'disk'] as const;

const bytes = z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable();

/** What computes a model, and where its layers lie: the part of the section `guard` that the child is told. */
export const computeSchema = z.strictObject({
  threads: z.int().min(0).max(256),
  int8: z.boolean(),
  backend: z.enum(BACKENDS),
  streaming: z.enum(STREAMING),
  maxDeviceBytes: bytes,
  maxPinnedBytes: bytes,
  simulatedLinkBytesPerSecond: bytes,
});

export type ComputeSettings = Readonly<z.infer<typeof computeSchema>>;

/** As the machine allows. */
export const DEFAULT_COMPUTE: ComputeSettings = {
  threads: 0,
  int8: false,
  backend: 'auto',
  streaming: 'auto',
  maxDeviceBytes: null,
  maxPinnedBytes: null,
  simulatedLinkBytesPerSecond: null,
};

/** The members of a larger object that say how to compute. */
export function computeOf(from: ComputeSettings): ComputeSettings {
  const { threads, int8, backend, streaming, maxDeviceBytes, maxPinnedBytes, simulatedLinkBytesPerSecond } =
    from;
  return { threads, int8, backend, streaming, maxDeviceBytes, maxPinnedBytes, simulatedLinkBytesPerSecond };
}

/** The same as options of the engine, which has no null. */
export function engineOptionsOf(compute: ComputeSettings) {
  return {
    ...compute,
    maxDeviceBytes: compute.maxDeviceBytes ?? 0,
    maxPinnedBytes: compute.maxPinnedBytes ?? 0,
    simulatedLinkBytesPerSecond: compute.simulatedLinkBytesPerSecond ?? 0,
  };
}
