import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { childEnvironment, type Environment, USER_TRUST_VARIABLES } from './child-environment.ts';
import { RelayFault } from './fault.ts';
import type { AgentIdentity, RelayOptions } from './options.ts';
import { openRelay } from './relay.ts';
import { checkUser } from './same-user.ts';

/** Passed on to the child always. */
const FORWARDED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
/** On a terminal they reach the child without us: it stands in the same process group. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

export interface RunOptions extends RelayOptions {
  /** The command and its arguments; no shell is involved. */
  readonly argv: readonly string[];
  /** The environment that the child would have without us. */
  readonly environment: Environment;
  /** The gate's state folder where it is on this machine, else null. */
  readonly stateFolder: string | null;
  /** Refuse when the child could read the state folder, rather than say so. */
  readonly strict: boolean;
  /** The user's side, which states what the user asked for. */
  readonly desk?: AgentIdentity;
  /** Default: inherit, so that the child has the terminal. */
  readonly stdio?: 'inherit' | 'ignore';
}

/**
 * Runs a command whose calls go through the gate as the agent's; gives back its exit code (128 + number of the
 * signal when a signal ended it, as shells do). Throws RelayFault when it can't be started.
 */
export async function runCommand(options: RunOptions): Promise<number> {
  const warning = await checkUser({ ...options, uid: process.getuid?.() ?? null });
  if (warning !== null) options.onNotice?.(warning);
  const extraTrustFiles = USER_TRUST_VARIABLES.flatMap((name) => options.environment[name] || []);
  const relay = await openRelay({ ...options, extraTrustFiles });
  try {
    return await runChild(options, childEnvironment(options.environment, relay.environment));
  } finally {
    await relay.close();
  }
}

function runChild(
  { argv: [command = '', ...parameters], stdio }: RunOptions,
  env: Environment,
): Promise<number> {
  if (command === '') throw new TypeError('give a command to run: sallyport run -- COMMAND');
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { env: { ...env }, stdio: stdio ?? 'inherit' });
    const stopForwarding = forwardSignals(child);
    child.once('error', (cause) => {
      stopForwarding();
      reject(notStarted(command, cause));
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

function forwardSignals(child: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  // Heard so that they don't end us before the child; passed on only when the terminal has not done it.
  const fromTerminal = (signal: NodeJS.Signals) => {
    if (process.stdin.isTTY !== true) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  for (const signal of FROM_TERMINAL) process.on(signal, fromTerminal);
  return () => {
    for (const signal of FORWARDED) process.off(signal, forward);
    for (const signal of FROM_TERMINAL) process.off(signal, fromTerminal);
  };
}

function notStarted(command: string, cause: Error): unknown {
  const code = 'code' in cause ? cause.code : null;
  if (code === 'ENOENT') {
    return new RelayFault('command_not_found', `there is no command ${command}`, { cause });
  }
  if (code === 'EACCES' || code === 'ENOEXEC') {
    return new RelayFault('command_not_executable', `${command} can not be executed`, { cause });
  }
  return cause;
}
