import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './shared.ts';

const START_TIMEOUT_MS = 30_000;

/** The service as users run it: a process of its own, on a state folder and ports of its own. */
export interface ServiceProcess {
  readonly home: string;
  readonly controlUrl: string;
  readonly gatewayUrl: string;
  /** What it printed so far. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits; the exit code, or null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function newHome(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sallyport-home-'));
}

export function removeHome(home: string): Promise<void> {
  return rm(home, { recursive: true, force: true });
}

/** Environment of a service or CLI process: ours, without settings that a developer may have exported. */
export function environmentOf(
  home: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('SALLYPORT_'),
  );
  return { ...Object.fromEntries(inherited), SALLYPORT_HOME: home, ...more };
}

export interface ProcessOptions {
  /** Put before the program: `--import FILE`. */
  readonly nodeArguments?: readonly string[];
  /** A program that starts ours: a shell that sets limits first, say. */
  readonly wrapper?: readonly string[];
  /** User that the service runs as; ours must be root. */
  readonly uid?: number;
}

/** A service that was started and may not be up yet. */
export interface LaunchedProcess {
  /** Rejects with its output when it ends before it serves. */
  readonly started: Promise<ServiceProcess>;
  output(): string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `node src/main.ts`. */
export function launchServiceProcess(
  home: string,
  settings: Readonly<Record<string, string>> = {},
  o: ProcessOptions = {},
): LaunchedProcess {
  const [program = '', ...words] = [
    ...(o.wrapper ?? []),
    process.execPath,
    ...(o.nodeArguments ?? []),
    'src/main.ts',
  ];
  const child = spawn(program, words, {
    cwd: repositoryRoot,
    env: environmentOf(home, { SALLYPORT_CONTROL_PORT: '0', SALLYPORT_GATEWAY_PORT: '0', ...settings }),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(o.uid === undefined ? {} : { uid: o.uid, gid: o.uid }),
  });
  let output = '';
  const end = (signal: NodeJS.Signals) => endProcess(child, signal);
  const up = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the service did not start:\n${output}`)),
      START_TIMEOUT_MS,
    );
    const take = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (/is up\.[\s\S]*detector /.test(output)) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the service ended with ${code}:\n${output}`));
    });
  });
  const started = up.then(() => ({
    home,
    controlUrl: /control plane\s+(\S+)/.exec(output)?.[1] ?? '',
    gatewayUrl: /gateway\s+(http\S+)/.exec(output)?.[1] ?? '',
    output: () => output,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    end,
  }));
  // Who kills it while it starts waits for no success.
  started.catch(() => {});
  return { started, output: () => output, end };
}

/** Starts `node src/main.ts` and waits until it serves. Rejects with its output when it ends before. */
export function startServiceProcess(
  home: string,
  settings: Readonly<Record<string, string>> = {},
  o: ProcessOptions = {},
): Promise<ServiceProcess> {
  return launchServiceProcess(home, settings, o).started;
}

function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.kill(signal);
  });
}

/** Runs `sallyport …` against a service. */
export function sallyport(
  service: Pick<ServiceProcess, 'home' | 'controlUrl' | 'gatewayUrl'>,
  args: readonly string[],
  o: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<CliResult> {
  const ports = {
    SALLYPORT_CONTROL_PORT: new URL(service.controlUrl).port,
    SALLYPORT_GATEWAY_PORT: new URL(service.gatewayUrl).port,
  };
  const child = spawn(process.execPath, [join(repositoryRoot, 'src/cli/main.ts'), ...args], {
    cwd: service.home,
    env: environmentOf(service.home, { ...ports, ...o.env }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  child.stdin.end(o.input ?? '');
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** As `sallyport`, for commands that must succeed; gives what it printed. */
export async function mustSallyport(...args: Parameters<typeof sallyport>): Promise<string> {
  const { code, stdout, stderr } = await sallyport(...args);
  if (code !== 0) throw new Error(`sallyport ${args[1].join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** One request to the admin API with the first administrator's token. */
export async function admin(
  service: Pick<ServiceProcess, 'home' | 'controlUrl'>,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const token = (await readFile(join(service.home, 'keys/admin-token'), 'utf8')).trim();
  const response = await fetch(`${service.controlUrl}/admin/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? {} : JSON.parse(text) };
}
