import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { keepCompiledCode } from './compile-cache.mjs';

keepCompiledCode();
const { listenForSignals, serve } = await import('./compose/index.ts');

const signals = listenForSignals({ isTerminal: process.stdout.isTTY === true });

/** What is typed is not shown. */
async function askPassphrase(): Promise<string> {
  process.stderr.write('Passphrase of the vault: ');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silence, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

const exitCode = await serve({
  environment: process.env,
  out: process.stdout,
  err: process.stderr,
  ...signals,
  askPassphrase: process.stdin.isTTY ? askPassphrase : null,
});
// Everything is closed and written; a socket of a client that does not let go must not keep the process.
process.exit(exitCode);
