import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SigningKey } from '../load/agent.ts';
import type { AgentSpec } from '../load/requests.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const SCOPES_ALL = null;

export interface ServiceSettings {
  readonly audit: 'process' | 'power';
  /** Folder for a CPU profile; null: none. */
  readonly profile?: string | null;
  /** Lets `memory` look inside: garbage is collected before each look. */
  readonly probe?: boolean;
  /** More settings, as environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The service as users start it: `node src/main.ts` on a state folder of its own. */
export class BenchService {
  readonly #process: ChildProcess;
  readonly home: string;
  readonly controlUrl: string;
  readonly gatewayUrl: string;
  #token: string | null = null;

  static async start({ audit, profile, probe, environment }: ServiceSettings): Promise<BenchService> {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
    const flags = profile
      ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=service-${audit}.cpuprofile`]
      : [];
    if (probe === true)
      flags.push('--expose-gc', '--import', fileURLToPath(new URL('./memory-probe.ts', import.meta.url)));
    const child = spawn(process.execPath, [...flags, 'src/main.ts'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        SALLYPORT_HOME: home,
        SALLYPORT_CONTROL_PORT: '0',
        SALLYPORT_GATEWAY_PORT: '0',
        SALLYPORT_AUDIT_DURABILITY: audit,
        // A load generator is no agent that someone stole: without these it would be told to wait.
        SALLYPORT_DETECTOR_CALLS_PER_SECOND: '1000000',
        SALLYPORT_DETECTOR_CALLS_AT_ONCE: '1000000',
        ...environment,
      },
    });
    const output = await greetingOf(child);
    return new BenchService(child, home, output);
  }

  private constructor(child: ChildProcess, home: string, greeting: string) {
    this.#process = child;
    this.home = home;
    this.controlUrl = /control plane\s+(\S+)/.exec(greeting)?.[1] ?? '';
    this.gatewayUrl = /gateway\s+(http\S+)/.exec(greeting)?.[1] ?? '';
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get gatewayPort(): number {
    return Number(new URL(this.gatewayUrl).port);
  }

  get controlPort(): number {
    return Number(new URL(this.controlUrl).port);
  }

  /** One request to the admin API. Throws unless it succeeds. */
  async admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    this.#token ??= (await readFile(join(this.home, 'keys', 'admin-token'), 'utf8')).trim();
    const response = await fetch(`${this.controlUrl}/admin/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status >= 300) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return text === '' ? {} : JSON.parse(text);
  }

  /** What the service says of its guard model. */
  async guard(): Promise<{ readonly kind: string; readonly reason?: string }> {
    return (await this.admin('GET', '/status')).guard as { kind: string; reason?: string };
  }

  /** Registers an agent with a key of its own. */
  async addAgent(name: string, scopes: readonly string[]): Promise<AgentSpec> {
    const key = new SigningKey();
    const kid = `${name}-key`;
    const made = await this.admin('POST', '/agents', {
      name,
      owner: 'bench',
      scopes,
      jwks: [{ ...key.publicJwk, kid, alg: 'ES256', use: 'sig' }],
    });
    const metadata = await fetch(`${this.controlUrl}/.well-known/oauth-authorization-server`);
    const { issuer, token_endpoint: tokenEndpoint } = (await metadata.json()) as Record<string, string>;
    return {
      issuer: issuer ?? '',
      tokenEndpoint: tokenEndpoint ?? '',
      clientId: (made.agent as { id: string }).id,
      kid,
      privateKeyPem: key.pem,
      resource: this.gatewayUrl,
      scope: SCOPES_ALL,
    };
  }

  /** Memory of the service after a collection; for a service that was started with `probe`. */
  memory(): Promise<NodeJS.MemoryUsage> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the service ended'));
      this.#process.once('exit', gone);
      this.#process.once('message', (usage) => {
        this.#process.off('exit', gone);
        resolve(usage as NodeJS.MemoryUsage);
      });
      this.#process.send('memory');
    });
  }

  /** Ends it as an administrator would, and keeps what it wrote. */
  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.kill('SIGTERM');
    await ended;
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function greetingOf(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the service did not start:\n${output}`)),
      START_TIMEOUT_MS,
    );
    const take = (bytes: Buffer) => {
      output += bytes.toString('utf8');
      if (!/is up\.[\s\S]*detector /.test(output)) return;
      clearTimeout(timer);
      resolve(output);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the service ended with ${code}:\n${output}`));
    });
  });
}
