import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { DEFAULT_COMPUTE } from '../../src/guard/compute.ts';
import { findAddon } from '../../src/guard/engine/addon-file.ts';
import { connectChild } from '../../src/guard/process/connect-child.ts';
import { type Connection, SupervisedGuard, type SupervisedOptions } from '../../src/guard/supervised.ts';
import { addonOrReason, golden } from './support.ts';

const found = addonOrReason();
if ('reason' in found) process.stderr.write(`skipped: test/native/supervised.test.ts: ${found.reason}\n`);

const LABELS = ['injection', 'malicious_call'];
const SEGMENTS = [{ role: 'result', text: 'ignore the thing' }] as const;

describe.skipIf('reason' in found)("the guard's process", () => {
  let folder: string;
  const guards: SupervisedGuard[] = [];
  const pids: (number | undefined)[] = [];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-guard-'));
  });
  afterEach(async () => {
    await Promise.all(guards.splice(0).map((guard) => guard.close()));
    pids.length = 0;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function start(
    o: { readonly entry?: string; readonly model?: string; readonly sha256?: string } = {},
    more: Partial<SupervisedOptions> = {},
  ): SupervisedGuard {
    const guard = new SupervisedGuard({
      connect: (): Connection => {
        const connection = connectChild({
          model: o.model ?? golden('canary-q8_0.gguf'),
          sha256: o.sha256 ?? null,
          preset: null,
          ...DEFAULT_COMPUTE,
          threads: 1,
          memoryBytes: null,
          ...(o.entry === undefined ? {} : { entry: o.entry }),
        });
        pids.push(connection.pid);
        return connection;
      },
      required: () => true,
      deadlineMs: 20_000,
      onReady: () => {},
      clock: systemClock,
      pace: 0.05,
      ...more,
    });
    guards.push(guard);
    return guard;
  }

  async function until(holds: () => boolean): Promise<void> {
    for (let round = 0; round < 1500 && !holds(); round++) await sleep(10);
    expect(holds()).toBe(true);
  }

  const score = (guard: SupervisedGuard, text: string = SEGMENTS[0].text, deadlineMs = 20_000) =>
    guard.score({ tenant: 'default', segments: [{ role: 'result', text }], labels: LABELS, deadlineMs });

  /** A program in place of ours, with the frames that it speaks. */
  function villain(name: string, body: string): string {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(
      file,
      `import { Socket } from 'node:net';
       const line = new Socket({ fd: 3, readable: true, writable: true });
       line.on('close', () => process.exit(0)).on('error', () => process.exit(0));
       const frame = (text) => { const b = Buffer.from(text); const f = Buffer.alloc(4 + b.length); f.writeUInt32BE(b.length); b.copy(f, 4); line.write(f); };
       const say = (message) => frame(JSON.stringify(message));
       const ready = { type: 'ready', model: 'm', architecture: 'a', backend: 'cpu', preset: 'p', labels: ['injection'], unconfined: '' };
       const scores = (id, more = {}) => ({ type: 'scores', id, scores: { injection: 0.5 }, tokens: 1, windows: 1, queueMs: 0, computeMs: 0, ...more });
       let seen = 0;
       line.on('data', (chunk) => { seen += 1; if (seen === 1) { begin(); return; } asked(chunk); });
       ${body}`,
    );
    return file;
  }

  it('scores what the detector asks for, and nothing else', async () => {
    const guard = start();
    const scores = await score(guard);
    expect(guard.status).toMatchObject({
      kind: 'ready',
      architecture: 'canary-guard',
      preset: 'canary-guard',
    });
    expect(scores).toBeInstanceOf(Map);
    expect([...(scores as Map<string, number>).keys()].sort()).toEqual(LABELS);
    const one = await guard.score({
      tenant: 'default',
      segments: SEGMENTS,
      labels: ['injection', 'sunshine'],
      deadlineMs: 5_000,
    });
    expect([...(one as Map<string, number>).keys()]).toEqual(['injection']);
    expect((await guard.stats())?.completed).toBeGreaterThan(1);
    expect(guard.counts).toMatchObject({ scored: 2, remembered: 0, late: 0, restarts: 0 });
  });

  it('does not score the same twice, and asks a new process again', async () => {
    const guard = start();
    const first = await score(guard);
    expect(await score(guard)).toEqual(first);
    expect(guard.counts).toMatchObject({ scored: 1, remembered: 1 });
    process.kill(pids.at(-1) ?? 0, 'SIGKILL');
    await until(() => guard.counts.restarts > 0 && guard.status.kind === 'ready');
    expect(await score(guard)).toEqual(first);
    expect(guard.counts).toMatchObject({ scored: 2, remembered: 1 });
  });

  it('holds no environment, no new privileges, and a filter over every thread', async () => {
    const guard = start();
    await score(guard);
    const pid = pids.at(-1);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size +0 +0/m);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max data size +\d+ +\d+/m);
    // The filter of the launcher, and the one of the addon, on every thread.
    const threads = spawnSync('sh', ['-c', `cat /proc/${pid}/task/*/status`], { encoding: 'utf8' }).stdout;
    const filters = [...threads.matchAll(/^Seccomp_filters:\t(\d+)$/gm)].map(([, count]) => Number(count));
    expect(filters.length).toBeGreaterThan(1);
    expect(new Set(filters)).toEqual(new Set([2]));
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('');
  });

  it('can reach nothing before the model is read either', async () => {
    const entry = villain(
      'curious',
      `import fs from 'node:fs'; import net from 'node:net'; import { spawn } from 'node:child_process'; import { Worker } from 'node:worker_threads';
       const tries = {};
       const attempt = (name, body) => { try { body(); tries[name] = 'allowed'; } catch (error) { tries[name] = error.code; } };
       function begin() {
         attempt('file', () => fs.readFileSync('/etc/passwd'));
         attempt('write', () => fs.writeFileSync('/tmp/sallyport-guard-was-here', 'x'));
         attempt('program', () => spawn('/bin/true'));
         attempt('worker', () => new Worker('', { eval: true }));
         net.connect(9, '127.0.0.1').on('error', (error) => {
           tries.socket = error.code;
           tries.environment = Object.keys(process.env).length;
           say({ type: 'refused', code: 'io', sentence: JSON.stringify(tries) });
         });
       }`,
    );
    const guard = start({ entry });
    await until(() => guard.status.kind === 'failing');
    const { reason } = guard.status as { reason: string };
    expect(JSON.parse(reason)).toEqual({
      file: 'ERR_ACCESS_DENIED',
      write: 'ERR_ACCESS_DENIED',
      program: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      socket: 'EPERM',
      environment: 0,
    });
  });

  it('can open no file and make no socket once it serves', async () => {
    const program = `
      import { createRequire } from 'node:module';
      const addon = createRequire('/')(${JSON.stringify(findAddon().addon)});
      process._rawDebug(JSON.stringify(addon.confine()));
      const fs = process.getBuiltinModule('node:fs'), net = process.getBuiltinModule('node:net'), cp = process.getBuiltinModule('node:child_process');
      const said = {};
      try { fs.openSync('/etc/passwd'); said.file = 'allowed'; } catch (e) { said.file = e.code; }
      try { fs.writeFileSync('/tmp/x', ''); said.write = 'allowed'; } catch (e) { said.write = e.code; }
      try { said.program = cp.spawnSync('/bin/true').error?.code ?? 'allowed'; } catch (e) { said.program = e.code; }
      process._rawDebug(JSON.stringify(said));
      const s = net.connect(9, '127.0.0.1');
      s.on('error', (e) => { process._rawDebug(JSON.stringify({ socket: e.code })); process.exit(0); });`;
    const { launcher } = findAddon();
    const { stderr } = spawnSync(
      launcher,
      ['0', '/', '--', process.execPath, '--input-type=module', '-e', program],
      {
        env: {},
        encoding: 'utf8',
      },
    );
    expect(
      stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      '',
      { file: 'EPERM', write: 'EPERM', program: expect.stringMatching(/EPERM|EAGAIN|ENOSYS/) },
      { socket: 'EPERM' },
    ]);
  });

  it('killed in the middle of a score, counts as late, and is there again', async () => {
    const guard = start();
    await score(guard);
    const long = 'the thing in the text '.repeat(3000);
    const waiting = Array.from({ length: 8 }, () => score(guard, long));
    await sleep(5);
    process.kill(pids.at(-1) ?? 0, 'SIGKILL');
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['late']));
    await until(() => guard.status.kind === 'ready' && pids.length > 1);
    expect(await score(guard)).toBeInstanceOf(Map);
    expect(guard.counts.restarts).toBeGreaterThan(0);
  });

  it('dead, gives no opinion where none is required, and says so', async () => {
    const guard = start({ model: golden('none.gguf') }, { required: () => false });
    await until(() => guard.status.kind === 'failing');
    expect(await score(guard)).toBe('absent');
    expect(guard.isFit).toBe(true);
  });

  it('is told to end, and nobody is told of a failure', async () => {
    const states: string[] = [];
    const guard = start({}, { onStatus: ({ kind }) => states.push(kind) });
    await guard.settled(20_000);
    await guard.close();
    expect(states).toEqual(['ready']);
  });

  it('late, gives up at the deadline and goes on', async () => {
    const guard = start();
    await score(guard);
    expect(await score(guard, 'the thing in the text '.repeat(20_000), 5)).toBe('late');
    expect(await score(guard)).toBeInstanceOf(Map);
    expect(pids.length).toBe(1);
  });

  it('waits for a guard that is starting, within the deadline', async () => {
    const guard = start();
    expect(guard.status.kind).toBe('starting');
    expect(await score(guard, 'x', 1)).toBe('late');
    expect(await score(guard)).toBeInstanceOf(Map);
  });

  it.each([
    ['a file that is no model', { model: golden('make-golden.py') }, /GGUF|model/i],
    ['another file than the pinned one', { sha256: 'ab'.repeat(32) }, /SHA-256/],
    ['a file that is not there', { model: golden('none.gguf') }, /cannot be opened|not there|No such/],
    ['a model that no preset is for', { model: golden('llama-f32.gguf') }, /guard\.preset must name/],
  ])('refuses %s with a sentence, and is late', async (_, o, sentence) => {
    const guard = start(o);
    await until(() => guard.status.kind === 'failing');
    expect(guard.status).toMatchObject({ kind: 'failing', reason: expect.stringMatching(sentence) });
    expect(await score(guard)).toBe('late');
    expect(guard.isFit).toBe(false);
  });

  const BEGIN_READY = 'function begin() { say(ready); }';
  it.each([
    ['frames of garbage', `${BEGIN_READY} function asked() { frame('}{ garbage'); }`],
    [
      'bytes that are no UTF-8',
      `${BEGIN_READY} function asked() { line.write(Buffer.from([0, 0, 0, 2, 0xc3, 0x28])); }`,
    ],
    [
      'an oversize frame',
      `${BEGIN_READY} function asked() { line.write(Buffer.from([0x7f, 0xff, 0xff, 0xff])); }`,
    ],
    [
      'a flood',
      `${BEGIN_READY} function asked() { frame(JSON.stringify({ ...scores(1), pad: 'x'.repeat(70000) })); }`,
    ],
    ['an answer to no question', `${BEGIN_READY} function asked() { say(scores(4711)); }`],
    [
      'a score below zero',
      `${BEGIN_READY} function asked() { say(scores(1, { scores: { injection: -1 } })); }`,
    ],
    [
      'a score that is no number',
      `${BEGIN_READY} function asked() { frame(JSON.stringify(scores(1)).replace('0.5', '1e999')); }`,
    ],
    ['an answer of another kind', `${BEGIN_READY} function asked() { say({ type: 'allow', id: 1 }); }`],
    ['being ready twice', 'function begin() { say(ready); say(ready); }'],
  ])('is ended for %s, and what waited is late', async (name, body) => {
    const guard = start({ entry: villain(name.replaceAll(' ', '-'), body) }, { pace: 100 });
    const scored = await score(guard);
    expect(scored).toBe('late');
    await until(() => guard.status.kind === 'failing');
    expect(guard.status).toMatchObject({ reason: expect.stringContaining('it broke the protocol') });
    await until(() => {
      try {
        process.kill(pids[0] ?? 0, 0);
        return false;
      } catch {
        return true;
      }
    });
  });

  it('cannot answer for a label that was not asked', async () => {
    const entry = villain(
      'chatty',
      `${BEGIN_READY} function asked() { say(scores(1, { scores: { injection: 0.5, allow: 1, __proto__x: 0 } })); }`,
    );
    const guard = start({ entry });
    expect(await score(guard)).toEqual(new Map([['injection', 0.5]]));
  });

  it('that never answers is late each time, and dead after a long silence', async () => {
    const entry = villain('silent', `${BEGIN_READY} function asked() {}`);
    const guard = start({ entry });
    expect(await score(guard, 'x', 300)).toBe('late');
    expect(guard.status.kind).toBe('ready');
  });
});
