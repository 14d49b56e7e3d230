import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { DEFAULT_COMPUTE, openGuard, serveGuard } from '../../src/guard/index.ts';
import { repositoryRoot } from '../support/shared.ts';
import { addonOrReason, golden } from './support.ts';

const found = addonOrReason();
const MODEL = golden('canary-q8_0.gguf');

describe.skipIf('reason' in found)('a guard that serves several gates', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof serveGuard>>;
  const socket = () => join(folder, 'guard.sock');
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-serve-'));
    server = await serveGuard({
      address: { kind: 'unix', path: socket() },
      child: { ...DEFAULT_COMPUTE, model: MODEL, sha256: null, preset: null, threads: 1, memoryBytes: null },
      onStatus: () => {},
    });
  });
  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function gate() {
    return openGuard({
      settings: {
        enabled: true,
        model: null,
        sha256: null,
        preset: null,
        required: true,
        ...DEFAULT_COMPUTE,
        deadlineMs: 20_000,
        memoryBytes: null,
        remote: 'unix:guard.sock',
        cascadeModel: null,
        cascadeSha256: null,
        cascadePreset: null,
        cascadeFrom: 0.3,
        cascadeBelow: 0.97,
      },
      home: folder,
      data: folder,
      programRoot: folder,
      clock: systemClock,
      onFault: (fault) => {
        throw fault;
      },
    });
  }

  const score = (one: ReturnType<typeof gate>) =>
    one.score({
      tenant: 'default',
      segments: [{ role: 'result', text: 'the thing' }],
      labels: ['injection'],
      deadlineMs: 20_000,
    });

  it('answers each of them, by a socket for its own user alone', async () => {
    const [one, other] = [gate(), gate()];
    const [first, second] = await Promise.all([score(one), score(other)]);
    expect(first).toBeInstanceOf(Map);
    expect(second).toEqual(first);
    expect(one.status).toMatchObject({ kind: 'ready', model: 'canary-q8_0.gguf' });
    expect(statSync(socket()).mode & 0o777).toBe(0o600);
    await Promise.all([one.close(), other.close()]);
  });

  it('cuts who sends garbage, and goes on with the others', async () => {
    const good = gate();
    await score(good);
    for (const garbage of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from([0, 0, 0, 2, 0x7b, 0x7d])]) {
      const bad = connect(socket());
      bad.on('error', () => {});
      await once(bad, 'data');
      bad.write(garbage);
      await once(bad, 'close');
    }
    expect(await score(good)).toBeInstanceOf(Map);
    await good.close();
  });

  it('is told by its counters, its checks and its scores at the command line', async () => {
    const cli = async (args: readonly string[], input?: string) => {
      const child = spawn(
        process.execPath,
        ['--no-warnings', join(repositoryRoot, 'src/cli/main.ts'), ...args],
        {
          env: { PATH: process.env.PATH, SALLYPORT_HOME: folder },
          stdio: ['pipe', 'pipe', 'pipe'],
        },
      );
      child.stdin.end(input ?? '');
      const [out, err, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      return { out, err, code };
    };
    const stats = await cli(['guard', 'stats', '--address', `unix:${socket()}`, '--json']);
    expect(JSON.parse(stats.out).completed).toBeGreaterThan(0);
    const check = await cli(['guard', 'check', MODEL, '--json']);
    expect(JSON.parse(check.out)).toMatchObject({ supported: true, preset: 'canary-guard', confined: true });
    const refused = await cli(['guard', 'check', join(repositoryRoot, 'LICENSE')]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('model_rejected') });
    const scored = await cli(['guard', 'score', '--model', MODEL, '--json'], 'the thing');
    expect(JSON.parse(scored.out).scores.injection).toBeGreaterThan(0);
    const floats = ['guard', 'score', '--model', join(repositoryRoot, 'native/test/golden/canary-f16.gguf')];
    const [exact, rounded] = await Promise.all(
      [[], ['--int8']].map(async (more) => {
        const { out } = await cli([...floats, ...more, '--json'], 'the thing');
        return Number(JSON.parse(out).scores.injection);
      }),
    );
    expect(rounded).not.toBe(exact);
    expect(rounded).toBeCloseTo(exact ?? Number.NaN, 1);
    const shipped = await cli(['guard', 'score', '--json'], 'The meeting is on Monday.');
    expect(JSON.parse(shipped.out).scores.injection).toBeLessThan(0.5);
    const none = await cli(['guard', 'score', '--model', join(folder, 'none.gguf')], 'x');
    expect(none.code).not.toBe(0);
    expect(none.err).toContain('not_found');
    const far = await cli(['guard', 'serve', '--listen', '0.0.0.0:1', '--model', MODEL]);
    expect(far).toMatchObject({ code: 2, err: expect.stringContaining('no address of this machine') });
  });

  it('loses its model, and its gates find it again', async () => {
    const one = gate();
    await score(one);
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    const guards = children.filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('process/child.ts'),
    );
    expect(guards.length).toBe(1);
    process.kill(guards[0] ?? 0, 'SIGKILL');
    for (let round = 0; round < 500 && one.status.kind === 'ready'; round++) await sleep(10);
    for (let round = 0; round < 500 && one.status.kind !== 'ready'; round++) await sleep(10);
    expect(await score(one)).toBeInstanceOf(Map);
    await one.close();
  });
});
