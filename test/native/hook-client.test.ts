import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.ts';

const build = spawnSync(process.execPath, [join(repositoryRoot, 'native/build.mjs'), '--hook']);
const client = join(repositoryRoot, 'native/build/sallyport-hook');

/** Stands for `sallyport hook run`: repeats what it was given, and ends with a code of its own. */
const STAND_IN = ['sh', '-c', 'printf "stand-in:"; cat; exit 7'];
const HANDED_OVER = { code: 7, stdout: 'stand-in:{}', stderr: '' };

let folder: string;
let server: Server | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-hook-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(async () => {
  const open = server;
  server = undefined;
  if (open !== undefined) await new Promise((done) => open.close(done));
});

/** A relay's socket that answers as `answer` says, once the message is whole. */
async function relay(answer: (socket: Socket, question: string) => void): Promise<string> {
  const path = join(folder, 'hook.sock');
  const listening = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => answer(socket, Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((ready) => listening.listen(path, ready));
  server = listening;
  return path;
}

function run(message: string, socket?: string, command: readonly string[] = STAND_IN) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const environment = socket === undefined ? {} : { SALLYPORT_HOOK_SOCKET: socket };
    const child = spawn(client, ['codex', 'ask', '--', ...command], {
      env: { PATH: process.env.PATH ?? '', ...environment },
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk: Buffer) => {
        said[name] += chunk.toString();
      });
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(message);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

describe.skipIf(build.status !== 0)('the compiled hook client (skipped where no C++ compiler is)', () => {
  it('passes on what the host wrote, and says what the relay says', async () => {
    const asked: string[] = [];
    const path = await relay((socket, question) => {
      asked.push(question);
      socket.end('2 5\nhelloand why\n');
    });
    expect(await run('{"tool":"é"}', path)).toEqual({ code: 2, stdout: 'hello', stderr: 'and why\n' });
    expect(asked).toEqual(['codex ask\n{"tool":"é"}']);
  });

  it('is silent where the relay is', async () => {
    const path = await relay((socket) => socket.end('0 0\n'));
    expect(await run('{}', path)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('carries messages and answers of many packets whole', async () => {
    const path = await relay((socket, question) => socket.end(`0 2000000\n${question.slice(10, 2_000_010)}`));
    const { code, stdout } = await run('m'.repeat(3_000_000), path);
    expect(code).toBe(0);
    expect(stdout === 'm'.repeat(2_000_000)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['no head', 'allow'],
    ['another exit code', '1 0\n'],
    ['a length beyond its end', '0 9\nshort'],
    ['a length that is no number', '0 -1\n'],
    ['a length that is too long', `0 ${'9'.repeat(40)}\n`],
  ])('hands over to the program when a relay answers %s', async (_, answer) => {
    const path = await relay((socket) => socket.end(answer));
    expect(await run('{}', path)).toEqual(HANDED_OVER);
  });

  it('hands over when there is no relay, or none that listens', async () => {
    expect(await run('{}')).toEqual(HANDED_OVER);
    expect(await run('{}', join(folder, 'none.sock'))).toEqual(HANDED_OVER);
    expect(await run('{}', join(folder, 'x'.repeat(200)))).toEqual(HANDED_OVER);
  });

  it('hands over when a relay breaks the connection off', async () => {
    const path = await relay((socket) => socket.destroy());
    expect(await run('{}', path)).toEqual(HANDED_OVER);
  });

  it('blocks where not even the program can be started', async () => {
    const { code, stdout, stderr } = await run('{}', undefined, ['/nowhere/sallyport']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/the call is blocked/);
  });

  it('blocks a message that is larger than any host sends, and a wrong use', async () => {
    expect((await run('x'.repeat(17 << 20))).code).toBe(2);
    expect(spawnSync(client, ['codex']).status).toBe(2);
  });
});
