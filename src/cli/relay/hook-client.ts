import { connect } from 'node:net';
import { type HookAnswer, type HostName, handleHook } from '../../hooks/index.ts';
import type { WhenLate } from './hook-socket.ts';

/** Of the whole run; the relay's own deadline is shorter. */
const TIMEOUT_MS = 8_000;

/** One run of a hook: asks the relay of this run, and says what was configured when there is none. */
export async function runHook(o: {
  readonly host: HostName;
  readonly stdin: string;
  /** Path of the relay's socket; undefined: this program does not run under a relay. */
  readonly socket: string | undefined;
  readonly whenLate: WhenLate;
}): Promise<HookAnswer> {
  const { host, stdin, socket, whenLate } = o;
  try {
    if (socket === undefined) throw new Error('this host was not started by sallyport run');
    return await ask(socket, `${host} ${whenLate}\n${stdin}`);
  } catch (cause) {
    const fault = cause instanceof Error ? cause : new Error(String(cause));
    return handleHook({
      host,
      stdin,
      judge: () => Promise.reject(fault),
      deadlineMs: 1_000,
      onLate: whenLate,
    });
  }
}

function ask(path: string, text: string): Promise<HookAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(path);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('the relay did not answer in time')));
    socket.once('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('close', () => {
      try {
        resolve(parse(Buffer.concat(chunks)));
      } catch (cause) {
        reject(cause);
      }
    });
    socket.end(text);
  });
}

function parse(answer: Buffer): HookAnswer {
  const end = answer.indexOf('\n');
  const [, exit, bytes] =
    /^([02]) (\d{1,8})$/.exec(answer.subarray(0, Math.max(0, end)).toString('latin1')) ?? [];
  if (exit === undefined) throw new Error('the relay gave no answer');
  const body = answer.subarray(end + 1);
  return {
    exitCode: exit === '2' ? 2 : 0,
    stdout: body.subarray(0, Number(bytes)).toString('utf8'),
    stderr: body.subarray(Number(bytes)).toString('utf8'),
  };
}
