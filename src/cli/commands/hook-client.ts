import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HostName } from '../../hooks/index.ts';
import { PROGRAM_ROOT } from '../program-root.ts';
import type { WhenLate } from './hook-options.ts';

/** The command that a host is to run for each message, and whether it is the compiled client. */
export interface HookCommand {
  readonly command: string;
  readonly compiled: boolean;
}

/**
 * The compiled client where this machine can make it: it starts in a millisecond, and the Node program, which stands
 * behind `--`, is started only when the relay gives no answer.
 */
export function hookCommand(host: HostName, whenLate: WhenLate): HookCommand {
  const program = quoted(join(PROGRAM_ROOT, 'bin', 'sallyport'));
  const plain = `${program} hook run ${host}${whenLate === 'deny' ? '' : ` --when-late ${whenLate}`}`;
  const client = compiledClient();
  if (client === null) return { command: plain, compiled: false };
  return { command: `${quoted(client)} ${host} ${whenLate} -- ${plain}`, compiled: true };
}

/** Path of the compiled client, made when it is missing or older than its source; null: no compiler made one. */
function compiledClient(): string | null {
  const built = spawnSync(process.execPath, [join(PROGRAM_ROOT, 'native/build.mjs'), '--hook', '--quiet'], {
    stdio: 'ignore',
  });
  const client = join(PROGRAM_ROOT, 'native/build/sallyport-hook');
  return built.status === 0 && existsSync(client) ? client : null;
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
