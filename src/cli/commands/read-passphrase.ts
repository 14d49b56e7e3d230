import type { Terminal } from '../terminal.ts';

const MAX_BYTES = 1024;

/** Asks for the passphrase of the vault, without echo. */
export function readPassphrase(terminal: Terminal): Promise<Buffer> {
  return terminal.readSecret('Passphrase of the vault: ', MAX_BYTES);
}
