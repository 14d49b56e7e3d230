import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { EngineInfo, EngineStats } from './facts.ts';

/** A request as the addon takes it; roles and isa are the numbers of guard.h. */
export interface NativeRequest {
  readonly segments?: readonly { readonly role: number; readonly text: string; readonly trusted: boolean }[];
  readonly tokens?: Int32Array;
  readonly labels?: Int32Array;
  readonly prefix?: number;
  readonly tenant?: string;
  readonly maxTokens?: number;
  readonly deadlineMs?: number;
  readonly priority?: number;
  readonly riskLabel?: number;
}

export interface NativeAnswer {
  readonly logits: readonly number[];
  readonly probabilities: readonly number[];
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly windows: number;
  readonly batchTokens: number;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly generated: Int32Array;
}

export interface NativeOpenOptions {
  readonly model: string;
  readonly sha256?: string;
  readonly threads?: number;
  readonly isa?: number;
  readonly tokenizerOnly?: boolean;
  readonly maxBatchTokens?: number;
  readonly maxQueue?: number;
  readonly maxKvBytes?: number;
  readonly int8?: boolean;
  readonly backend?: number;
  readonly streaming?: number;
  readonly maxDeviceBytes?: number;
  readonly maxPinnedBytes?: number;
  readonly streamSlots?: number;
  readonly simulatedLinkBytesPerSecond?: number;
}

/** native/binding/addon.cc: engines, prefixes and requests are numbers. */
export interface Addon {
  open(options: NativeOpenOptions): Promise<number>;
  close(engine: number): Promise<void>;
  info(engine: number): EngineInfo;
  stats(engine: number): EngineStats;
  tokenize(engine: number, text: string, trusted: boolean): Int32Array;
  detokenize(engine: number, ids: Int32Array): string;
  prefix(
    engine: number,
    text: string,
    tenant: string,
  ): Promise<{ readonly id: number; readonly tokens: number }>;
  releasePrefix(prefix: number): void;
  submit(
    engine: number,
    request: NativeRequest,
  ): { readonly id: number; readonly result: Promise<NativeAnswer> };
  cancel(request: number): void;
  /** Empty on success, else why it is not possible here. */
  confine(): string;
}

/** Loads the addon from a file that `findAddon` vouches for. */
export function loadAddon(file: string): Addon {
  return createRequire(import.meta.url)(resolve(file));
}
