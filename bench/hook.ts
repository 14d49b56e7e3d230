import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Child } from './lib/child.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { quantile, rounded } from './lib/statistics.ts';
import { BenchService } from './sallyport/service.ts';

/**
 * What a host waits for before each tool call: a process is started, reads the message, asks the gate through the relay
 * of its run, answers and ends. Beside it a process that does nothing at all, which is what starting one costs here.
 */
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const CLIENT = `${ROOT}native/build/sallyport-hook`;
const PROGRAM = [process.execPath, `${ROOT}src/cli/start.mjs`, 'hook', 'run', 'claude-code'];

const SUBJECTS = [
  { name: 'no-op', note: '/bin/true: the cost of a process', command: ['/bin/true'], share: 1 },
  {
    name: 'sallyport-hook',
    note: 'compiled; the gate decides and records',
    command: [CLIENT, 'claude-code', 'deny', '--', ...PROGRAM],
    share: 1,
  },
  {
    name: 'node',
    note: 'sallyport hook run: what is used without a compiler',
    command: PROGRAM,
    share: 0.01,
  },
] as const;

const options = readOptions({ rounds: 1000, seconds: 1 });
const built = spawnSync(process.execPath, [`${ROOT}native/build.mjs`, '--hook'], { stdio: 'ignore' }).status;
const service = await BenchService.start({ audit: 'process' });
try {
  const agent = await service.addAgent('coder', ['tools:call']);
  const relay = await Child.start('sallyport/relay.ts', { agent, gatewayUrl: service.gatewayUrl });
  try {
    const socket = String(relay.ready.hookSocket);
    const times = new Map<string, number[]>(SUBJECTS.map(({ name }) => [name, []]));
    const measured = SUBJECTS.filter(({ name }) => built === 0 || name !== 'sallyport-hook');
    // The gate and the relay of a host that works: what runs on Node is compiled while it runs.
    const warmUntil = performance.now() + options.warmSeconds * 1000;
    for (let round = -1; performance.now() < warmUntil; round -= 1)
      for (const { command, share } of measured) if (share === 1) await timed(command, socket, round);
    for (let round = 0; round < options.rounds; round++) {
      for (const { name, command, share } of measured) {
        if (round % Math.round(1 / share) !== 0) continue;
        times.get(name)?.push(await timed(command, socket, round));
      }
    }
    report('hook', SUBJECTS.map(rowOf(times)), { json: options.json });
  } finally {
    await relay.stop();
  }
} finally {
  await service.stop();
}

function rowOf(times: ReadonlyMap<string, readonly number[]>) {
  return ({ name, note }: (typeof SUBJECTS)[number]): Row => {
    const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b);
    if (sorted.length === 0) return { name, skipped: 'no C++ compiler made it' };
    const at = (share: number) => rounded(quantile(sorted, share), 2);
    return { name, runs: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), note };
  };
}

/** Milliseconds from starting the process to its end. Throws when it ended with another code than 0. */
function timed(command: readonly string[], socket: string, round: number): Promise<number> {
  const message = {
    session_id: 'bench',
    permission_mode: 'default',
    hook_event_name: 'PreToolUse',
    tool_name: 'Read',
    tool_use_id: `toolu_${round}`,
    tool_input: { file_path: 'docs/notes.md' },
  };
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = command;
    const began = performance.now();
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH, SALLYPORT_HOOK_SOCKET: socket },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin?.on('error', () => child.stdin?.destroy());
    child.stdin?.end(JSON.stringify(message));
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve(performance.now() - began) : reject(new Error(`${program} ended with ${code}`)),
    );
  });
}
