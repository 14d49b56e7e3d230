import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { systemClock } from '../../core/index.ts';
import { GuardFault } from '../engine/fault.ts';
import type { GuardStatus } from '../guard.ts';
import { type Connection, SupervisedGuard } from '../supervised.ts';
import type { GuardAddress } from './address.ts';
import { Answerer } from './answer.ts';
import type { Answers } from './answers.ts';
import { connectChild } from './connect-child.ts';
import { encodeFrame } from './frames.ts';
import type { GuardLine } from './line.ts';
import type { ChildOptions } from './start-child.ts';

/** Lines of gates at a time; each may have many texts under way. */
const MOST_LINES = 64;

export interface GuardServer {
  /** Port, for a loopback address with port 0. */
  readonly port: number | null;
  readonly status: GuardStatus;
  close(): Promise<void>;
}

/**
 * Serves one model to several gates of this machine. The model runs in a confined child as it does for one gate;
 * this process only passes on what has the form of a question or an answer. When the child dies the gates' lines are
 * cut, and they come again.
 */
export async function serveGuard(o: {
  readonly address: GuardAddress;
  readonly child: Omit<ChildOptions, 'files'>;
  readonly onStatus: (status: GuardStatus) => void;
}): Promise<GuardServer> {
  let current: Connection | null = null;
  const open = new Set<{ destroy(): void }>();
  const guard = new SupervisedGuard({
    connect: () => {
      const connection = connectChild(o.child);
      void connection.line.ended.then(() => {
        if (current === connection) current = null;
        for (const socket of open) socket.destroy();
        open.clear();
      });
      current = connection;
      return connection;
    },
    required: () => true,
    deadlineMs: Number.MAX_SAFE_INTEGER,
    onReady: () => {},
    onStatus: o.onStatus,
    clock: systemClock,
  });
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const line = current?.line;
    if (open.size >= MOST_LINES || line === undefined) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    line.ready.then(
      (ready) => {
        if (socket.destroyed) return;
        socket.write(encodeFrame(ready));
        new Answerer(socket, lineAnswers(line));
      },
      () => socket.destroy(),
    );
  });
  try {
    await listen(server, o.address);
  } catch (cause) {
    await guard.close();
    throw cause;
  }
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : null,
    get status() {
      return guard.status;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
      await guard.close();
    },
  };
}

function lineAnswers(line: GuardLine): Answers {
  return {
    async score(order, signal) {
      const answer = await line.ask({ type: 'score', ...order }, { signal });
      if (answer.type !== 'scores') throw wrongKind();
      return answer;
    },
    async stats() {
      const answer = await line.ask({ type: 'stats' });
      if (answer.type !== 'stats') throw wrongKind();
      return answer;
    },
    async examine() {
      const answer = await line.ask({ type: 'examine' });
      if (answer.type !== 'examined') throw wrongKind();
      return answer;
    },
  };
}

function wrongKind(): GuardFault {
  return new GuardFault('io', 'The guard answered another question than it was asked.');
}

async function listen(server: Server, address: GuardAddress): Promise<void> {
  if (address.kind === 'unix') removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (address.kind === 'unix') server.listen(address.path, resolve);
    else server.listen({ host: address.host, port: address.port }, resolve);
  });
  // Who may write to the socket may ask; only this user's gates shall.
  if (address.kind === 'unix') chmodSync(address.path, 0o600);
}

/** A socket that a process left behind when it was killed; never a file of another kind. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(path);
}
