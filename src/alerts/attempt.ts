import type { SecretBytes } from '../core/index.ts';
import type { AlertMessage } from './message.ts';
import { decodeKeys, type SigningKeys, wipeKeys } from './signing-keys.ts';
import { SINK_KINDS } from './sinks/index.ts';
import type { Attempt, SinkTools } from './sinks/sink-kind.ts';
import type { SinkRecord } from './store.ts';

/** The vault's keyring, for the signing secrets of sinks. `context` is sealed with the bytes. */
export interface Sealer {
  seal(context: string, bytes: Uint8Array): Uint8Array;
  open(context: string, sealed: Uint8Array): SecretBytes;
}

/** A sealed secret opens for its own sink only: rows that were swapped in the database do not. */
export function sealContext(sink: { readonly tenant: string; readonly id: string }): string {
  return JSON.stringify(['alert-sink', sink.tenant, sink.id]);
}

/** One attempt to hand a message to a sink. */
export async function attempt(o: {
  readonly sink: SinkRecord;
  readonly message: AlertMessage;
  readonly open: Sealer['open'];
  readonly tools: SinkTools;
  readonly now: number;
}): Promise<Attempt> {
  const kind = SINK_KINDS.get(o.sink.kind);
  if (kind === undefined) return { outcome: 'gone', error: `this gate has no sinks of kind ${o.sink.kind}` };
  const keys = openKeys(o.sink, o.open);
  try {
    return await kind.deliver({
      options: o.sink.options,
      keys,
      message: o.message,
      now: o.now,
      tools: o.tools,
    });
  } finally {
    wipeKeys(keys);
  }
}

function openKeys(sink: SinkRecord, open: Sealer['open']): SigningKeys | null {
  if (sink.sealedSecret === null) return null;
  using secret = open(sealContext(sink), sink.sealedSecret);
  return decodeKeys(secret);
}
