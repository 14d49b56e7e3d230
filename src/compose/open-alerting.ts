import { join } from 'node:path';
import { Outbox, Sinks } from '../alerts/index.ts';
import type { Gateway } from '../gateway/index.ts';
import type { Storage } from '../storage/index.ts';
import type { Vault } from '../vault/index.ts';
import type { Records, Wiring } from './service.ts';

const WEBHOOK_TIMEOUT_MS = 10_000;

/** The sinks, and the outbox that carries records of the log to them. */
export async function openAlerting(
  { config, clock, onFault, stack }: Wiring,
  { log, audit }: Records,
  o: { readonly storage: Storage; readonly vault: Vault; readonly send: Gateway['send'] },
): Promise<{ readonly sinks: Sinks; readonly outbox: Outbox }> {
  const { storage, vault, send } = o;
  const tools = { send, directory: join(config.paths.data, 'alerts'), timeoutMs: WEBHOOK_TIMEOUT_MS };
  const sinks = new Sinks({ store: storage.sinks, sealer: sealerOf(vault), tools, audit, clock });
  const outbox = new Outbox({
    log,
    outboxStore: storage.outbox,
    sinkStore: storage.sinks,
    open: sealerOf(vault).open,
    tools,
    clock,
    onFault,
  });
  await outbox.start();
  stack.defer(() => outbox.close());
  return { sinks, outbox };
}

/** The vault as the rooms see it that keep small secrets of their own. */
export function sealerOf(vault: Vault): {
  readonly seal: Vault['sealBlob'];
  readonly open: Vault['openBlob'];
} {
  return {
    seal: (context, bytes) => vault.sealBlob(context, bytes),
    open: (context, blob) => vault.openBlob(context, blob),
  };
}
