import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A peer that is a program of the system. */
export interface ProgramPeer {
  readonly pid: number;
  readonly port: number;
  /** The authority that it shows inside tunnels; null: it opens none. */
  readonly ca: string | null;
  stop(): Promise<void>;
}

export interface ProgramInput {
  readonly secret: string;
  readonly upstreamPort: number;
  readonly upstreamCa: string;
}

interface Program {
  readonly name: 'nginx' | 'haproxy' | 'mitmproxy';
  readonly mode: 'reverse' | 'intercept';
  readonly command: string;
  readonly note: string;
  /** Writes what it needs into the folder; gives its arguments. */
  prepare(folder: string, port: number, input: ProgramInput): readonly string[];
}

export const PROGRAM_PEERS: readonly Program[] = [
  {
    name: 'nginx',
    mode: 'reverse',
    command: 'nginx',
    note: 'C; one process, a fixed header put in; no passport, no policy, no scrubbing, no record',
    prepare: (folder, port, input) => {
      const file = join(folder, 'nginx.conf');
      writeFileSync(file, nginxConfig(folder, port, input));
      return ['-p', folder, '-c', file, '-e', join(folder, 'error.log')];
    },
  },
  {
    name: 'haproxy',
    mode: 'reverse',
    command: 'haproxy',
    note: 'C; one thread, a fixed header put in; no passport, no policy, no scrubbing, no record',
    prepare: (folder, port, input) => {
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, haproxyConfig(port, input));
      return ['-q', '-f', file];
    },
  },
  {
    name: 'mitmproxy',
    mode: 'intercept',
    command: 'mitmdump',
    note: 'Python; a header put in; no passport, no policy, no scrubbing, no record',
    prepare: (folder, port, { secret, upstreamCa }) => {
      const trust = join(folder, 'upstream.pem');
      writeFileSync(trust, upstreamCa);
      return [
        ...['--quiet', '--listen-host', '127.0.0.1', '--listen-port', String(port)],
        ...['--set', `confdir=${folder}`, '--set', 'flow_detail=0', '--set', 'http2=false'],
        ...['--set', `ssl_verify_upstream_trusted_ca=${trust}`],
        ...['--modify-headers', `/~q/Authorization/Bearer ${secret}`],
      ];
    },
  },
];

/** True when the command is on this machine. */
export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v "$1" || command -v "/usr/sbin/$1"`, 'sh', command]).status === 0;
}

/** Starts it and waits until it listens. Rejects with its own words. */
export async function startProgram(program: Program, input: ProgramInput): Promise<ProgramPeer> {
  const folder = mkdtempSync(join(tmpdir(), `sallyport-bench-${program.name}-`));
  const port = await freePort();
  const child = spawn(program.command, [...program.prepare(folder, port, input)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` },
  });
  let output = '';
  child.on('error', (fault) => (output += fault.message));
  child.stdout.on('data', (bytes: Buffer) => (output += bytes));
  child.stderr.on('data', (bytes: Buffer) => (output += bytes));
  const stop = async () => {
    await stopProcess(child);
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (tries === 200 || child.exitCode !== null) {
      await stop();
      throw new Error(`${program.name} did not start: ${output.slice(-1000)}`);
    }
    await pause(100);
  }
  const ca =
    program.mode === 'intercept' ? readFileSync(join(folder, 'mitmproxy-ca-cert.pem'), 'utf8') : null;
  return { pid: child.pid ?? 0, port, ca, stop };
}

function nginxConfig(folder: string, port: number, { secret, upstreamPort }: ProgramInput): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (one) => `${one}_temp_path ${join(folder, one)};`,
  );
  return `daemon off; master_process off; pid ${join(folder, 'pid')}; events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; ${paths.join(' ')}
  upstream up { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port};
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${secret}"; } } }
`;
}

function haproxyConfig(port: number, { secret, upstreamPort }: ProgramInput): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  http-request set-header Authorization "Bearer ${secret}"
  default_backend up
backend up
  http-reuse always
  server one 127.0.0.1:${upstreamPort}
`;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(timer);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
