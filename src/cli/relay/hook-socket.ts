import { createServer, type Server, type Socket } from 'node:net';
import { LIMITS } from '../../core/index.ts';
import { type HookAnswer, handleHook, isHostName, type Judge } from '../../hooks/index.ts';

/** What a hook is told when the gate is not asked in time; `ask` is a no where nobody can be asked. */
export type WhenLate = 'deny' | 'ask' | 'none';

const HEAD = /^([a-z-]{1,32}) (deny|ask|none)\n/;

/**
 * Answers hook processes on a Unix socket that only this user can reach (its folder is mode 0700). A process sends one
 * line, the host's name and what to say when it gets late, then what the host wrote to it, and closes its half; it gets
 * `<exit code> <bytes of standard output>\n`, standard output, and standard error.
 */
export function openHookSocket(o: {
  readonly path: string;
  readonly judge: Judge;
  /** Shorter than the host's own limit, at which the host would let the call pass. */
  readonly deadlineMs: number;
}): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    serve(socket, o).catch(() => socket.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(o.path, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

async function serve(
  socket: Socket,
  { judge, deadlineMs }: { readonly judge: Judge; readonly deadlineMs: number },
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LIMITS.decideBodyBytes + 64) return void socket.end(wire(TOO_LARGE));
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const [head = '', host = '', late = 'deny'] = HEAD.exec(text) ?? [];
  if (!isHostName(host)) return void socket.end(wire(UNKNOWN));
  const onLate = late === 'ask' || late === 'none' ? late : 'deny';
  socket.end(wire(await handleHook({ host, stdin: text.slice(head.length), judge, deadlineMs, onLate })));
}

function wire({ exitCode, stdout, stderr }: HookAnswer): string {
  return `${exitCode} ${Buffer.byteLength(stdout)}\n${stdout}${stderr}`;
}

const TOO_LARGE: HookAnswer = { exitCode: 2, stdout: '', stderr: 'The hook input is too large.\n' };
const UNKNOWN: HookAnswer = { exitCode: 2, stdout: '', stderr: 'The host of this hook is not known.\n' };
