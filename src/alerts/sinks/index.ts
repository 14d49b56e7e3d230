import { file } from './file.ts';
import type { SinkKind } from './sink-kind.ts';
import { webhook } from './webhook.ts';

/** Every kind of sink. */
export const SINK_KINDS: ReadonlyMap<string, SinkKind> = new Map([
  ['webhook', webhook],
  ['file', file],
]);
