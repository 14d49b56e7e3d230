import { readFileSync } from 'node:fs';
import { type Config, ConfigError, loadConfig } from '../config/index.ts';
import { SecretBytes } from '../core/index.ts';
import { greeting } from './greeting.ts';
import { makeLogger } from './log.ts';
import { startService } from './start-service.ts';
import { PROGRAM_ROOT } from './version.ts';

export interface ServeOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Resolves with the reason when the service shall stop. */
  readonly stopped: Promise<string>;
  /** Calls back whenever certificates and policies shall be read again. */
  readonly onReload: (reload: () => void) => void;
  /** Asks a person for the vault's passphrase, unseen; null where nobody can be asked. */
  readonly askPassphrase: (() => Promise<string>) | null;
}

/** Runs the service until it is told to stop. Resolves with the exit code. */
export async function serve(o: ServeOptions): Promise<number> {
  try {
    const config = loadConfig({ environment: o.environment, defaultHome: PROGRAM_ROOT });
    const { level, format } = config.log;
    const logger = makeLogger({
      level,
      format: format === 'auto' ? (o.err.isTTY === true ? 'text' : 'json') : format,
      out: o.err,
      node: config.node.name,
    });
    const onFault = (fault: unknown) =>
      logger.write('error', 'Something failed that no caller waits for.', { fault });
    const service = await startService({
      config,
      logger,
      isTerminal: o.out.isTTY === true,
      passphrase: await passphraseOf(config, o.askPassphrase),
      onFault,
    });
    o.out.write(`${greeting(service, config)}\n`);
    if (service.administrator.kind === 'shown') await service.administrator.confirm();
    o.onReload(() => void service.reload().catch(onFault));
    const reason = await o.stopped;
    const { callsCut } = await service.stop(reason);
    o.out.write(callsCut === 0 ? 'Stopped.\n' : `Stopped; ${callsCut} calls in flight were cut.\n`);
    return 0;
  } catch (fault) {
    o.err.write(`sallyport: ${messageOf(fault)}\n`);
    // 4: the state of this machine (settings, files, ports) is at fault, as in the exit codes of the CLI.
    return fault instanceof ConfigError ? 2 : 4;
  }
}

async function passphraseOf(config: Config, ask: ServeOptions['askPassphrase']): Promise<SecretBytes | null> {
  const { seal, passphraseFile } = config.vault;
  if (seal === 'file') return null;
  if (passphraseFile !== null)
    return SecretBytes.fromUtf8(readFileSync(passphraseFile, 'utf8').replace(/\r?\n$/, ''));
  if (ask === null) {
    throw new ConfigError([
      'vault.passphraseFile: must be set where no terminal is there to ask for the passphrase.',
    ]);
  }
  return SecretBytes.fromUtf8(await ask());
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
