import { join, resolve } from 'node:path';
import { type Config, ConfigError, loadConfig } from '../config/index.ts';
import type { Environment } from './environment.ts';
import { stateFault } from './fault.ts';
import { PROGRAM_ROOT } from './program-root.ts';
import { type Trust, trustIn } from './trust.ts';

/** The settings and files of this machine's installation; read when a command first asks. */
export class State {
  readonly #environment: Environment;
  readonly #caFile: string | null;
  #config: Config | null = null;
  #trust: Trust | undefined;

  /** `caFile`: certificates to trust in place of those that the settings name. */
  constructor(environment: Environment, caFile: string | undefined) {
    this.#environment = environment;
    this.#caFile = caFile === undefined ? null : resolve(caFile);
  }

  /** Throws CliFault with all faults of the settings. */
  get config(): Config {
    this.#config ??= this.#load();
    return this.#config;
  }

  /** Folder of the private keys that `agent add` makes. */
  get agentKeys(): string {
    return join(resolve(this.#environment.SALLYPORT_HOME ?? PROGRAM_ROOT), 'keys', 'agents');
  }

  /** Whom to believe that it is the control plane, or the gateway. Throws CliFault. */
  get trust(): Trust {
    this.#trust ??= trustIn(this.caFile);
    return this.#trust;
  }

  /** File with certificates to trust beside the usual ones. */
  get caFile(): string | null {
    const { tls, paths } = this.config;
    return this.#caFile ?? (tls.caFile === null ? null : resolve(paths.home, tls.caFile));
  }

  get adminTokenVariable(): string | undefined {
    return this.#environment.SALLYPORT_ADMIN_TOKEN;
  }

  get agentVariable(): string | undefined {
    return this.#environment.SALLYPORT_AGENT;
  }

  /** Origin of the control plane: the address that it listens on here, or its public name. */
  get controlUrl(): string {
    return originOf(this.config.control);
  }

  get gatewayUrl(): string {
    return originOf(this.config.gateway);
  }

  #load(): Config {
    try {
      return loadConfig({ environment: this.#environment, defaultHome: PROGRAM_ROOT });
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw stateFault(
        cause.message,
        'Correct the settings; docs/reference/configuration.md lists them.',
        cause,
      );
    }
  }
}

function originOf({ host, port, publicUrl, tlsCertificateFile }: Config['control' | 'gateway']): string {
  if (publicUrl !== null) return publicUrl;
  // What listens on every address is reached here on the loopback interface.
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const scheme = tlsCertificateFile === null ? 'http' : 'https';
  return `${scheme}://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}
