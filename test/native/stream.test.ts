import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GuardEngine, type OpenOptions } from '../../src/guard/engine/engine.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { cli } from '../support/cli.ts';
import { startTestService } from '../support/service.ts';
import { addonOrReason, golden, readGolden } from './support.ts';

const found = addonOrReason();
if ('reason' in found) process.stderr.write(`skipped: test/native/stream.test.ts: ${found.reason}\n`);
const { addon } = 'addon' in found ? found : { addon: null };
/** Four layers. */
const MODEL = 'canary-f32';
const LAYERS = 4;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(addon === null)('a model larger than the memory that it may have', () => {
  async function open(more: Partial<OpenOptions>): Promise<GuardEngine> {
    if (addon === null) throw new Error('there is no addon');
    const engine = await GuardEngine.open({ addon, model: golden(`${MODEL}.gguf`), threads: 1, ...more });
    closing.push(() => engine.close());
    return engine;
  }

  async function logitsOf(engine: GuardEngine): Promise<readonly (readonly number[])[]> {
    const cases = readGolden(MODEL).cases.map(({ ids }) => ({ tokens: Int32Array.from(ids) }));
    return Promise.all(cases.map(async (one) => (await engine.score(one)).logits));
  }

  it('scores the same bits from host memory and from the file as on the device', async () => {
    const resident = await open({ backend: 'cpu', streaming: 'resident' });
    const wanted = await logitsOf(resident);
    expect(resident.info.backend).toBe('cpu');
    expect(resident.stats()).toMatchObject({ layersOnDevice: LAYERS, layersStreamed: 0, overlap: 0 });
    const layerBytes = resident.stats().deviceBytes / LAYERS;
    for (const [backend, streaming] of [
      ['simulated', 'pinned'],
      ['simulated', 'disk'],
      ['cpu', 'disk'],
    ] as const) {
      const streamed = await open({ backend, streaming, maxDeviceBytes: Math.ceil(layerBytes * 3) });
      expect(await logitsOf(streamed)).toEqual(wanted);
      const stats = streamed.stats();
      expect(streamed.info.backend).toBe(backend);
      expect(stats.layersOnDevice + stats.layersPinned + stats.layersOnDisk).toBe(LAYERS);
      expect(stats.layersStreamed).toBeGreaterThan(0);
      expect(stats.deviceBytes).toBeLessThanOrEqual(layerBytes * 3);
      expect(stats.overlap).toBeGreaterThanOrEqual(0);
      expect(stats.overlap).toBeLessThanOrEqual(1);
      const uploaded = stats.uploadedPinnedBytes + stats.uploadedDiskBytes;
      expect(uploaded).toBeGreaterThanOrEqual(stats.layersStreamed * 0.9 * layerBytes);
      expect(stats.readBytes > 0).toBe(streaming === 'disk');
      expect(stats.linkBytesPerSecond > 0).toBe(backend === 'simulated');
    }
  });

  it('is refused with a typed error where not even two layers fit, or nothing may be streamed', async () => {
    await expect(open({ backend: 'simulated', maxDeviceBytes: 4096 })).rejects.toMatchObject({
      code: 'no_memory',
      message: expect.stringContaining('room for 2 layers'),
    });
    await expect(open({ backend: 'cpu', streaming: 'resident', maxDeviceBytes: 4096 })).rejects.toMatchObject(
      { code: 'no_memory' },
    );
    await expect(open({ backend: 'cpu', streaming: 'pinned' })).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(open({ streamSlots: 1 })).rejects.toMatchObject({ code: 'bad_argument' });
  });
});

describe.skipIf(addon === null)('a gate whose guard model is streamed', () => {
  /** Two layers of the four. */
  const settings = (streaming: string) => ({
    SALLYPORT_GUARD_MODEL: golden(`${MODEL}.gguf`),
    SALLYPORT_GUARD_BACKEND: 'simulated',
    SALLYPORT_GUARD_STREAMING: streaming,
    SALLYPORT_GUARD_THREADS: '1',
    SALLYPORT_GUARD_DEADLINE_MS: '20000',
    SALLYPORT_GUARD_MAX_DEVICE_BYTES: '400000',
    SALLYPORT_DETECTOR_DEADLINE_MS: '20000',
  });

  it('is told from others by guard check, with the same options', async () => {
    const options = ['--backend', 'simulated', '--streaming', 'pinned', '--simulated-link', '500000000'];
    const checked = await cli({}, 'guard', 'check', golden(`${MODEL}.gguf`), ...options, '--json');
    expect(checked).toMatchObject({ code: 0 });
    expect(JSON.parse(checked.out)).toMatchObject({
      backend: expect.stringMatching(/^simulated /),
      confined: true,
    });
    const tight = await cli(
      {},
      'guard',
      'check',
      golden(`${MODEL}.gguf`),
      ...options,
      '--max-device-bytes',
      '9',
    );
    expect(tight.err).toContain('room for 2 layers');
    const wrong = await cli({}, 'guard', 'check', golden(`${MODEL}.gguf`), '--streaming', 'cloud');
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--streaming is one of') });
  });

  it.for(['pinned', 'disk'])('scores a live call, layers from %s, and tells so', async (streaming) => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-stream-'));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const authority = await makeTestAuthority();
    const upstream = createServer(await authority.issue('localhost'), (_, response) => {
      response.end('{"text":"an answer"}');
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    closing.push(async () => void upstream.close());
    const origin = `https://localhost:${(upstream.address() as AddressInfo).port}`;
    await writeFile(join(folder, 'ca.pem'), authority.certificatePem);
    const service = await startTestService(settings(streaming));
    closing.push(() => service.close());
    const run = async (...args: string[]) => {
      const answer = await cli(service.environment, ...args, '--json');
      expect(answer, args.join(' ')).toMatchObject({ code: 0 });
      return JSON.parse(answer.out);
    };

    const before = await run('guard', 'stats');
    expect(before).toMatchObject({ kind: 'ready', backend: expect.stringMatching(/^simulated /) });
    const ca = join(folder, 'ca.pem');
    await run('service', 'add', 'api', '--origin', origin, '--allow-private', '--ca', ca);
    await run('agent', 'add', 'reader', '--owner', 'ann', '--scope', 'api:write');
    // A call that only reads is not scored itself.
    const call = await run('call', '--agent', 'reader', '/s/api/page', '-d', '{"title":"hello"}');
    expect(call).toMatchObject({ status: 200 });

    const after = await run('guard', 'stats');
    expect(after.scored).toBeGreaterThan(before.scored);
    expect(after.late).toBe(0);
    expect(after['engine.layersStreamed']).toBeGreaterThan(before['engine.layersStreamed']);
    expect(after['engine.layersOnDevice']).toBeLessThan(LAYERS);
    expect(after['engine.deviceBytes']).toBeLessThanOrEqual(400_000);
    expect(after['engine.overlap']).toBeGreaterThanOrEqual(0);
    expect(after['engine.linkBytesPerSecond']).toBeGreaterThan(0);
    expect(after['engine.readBytes'] > 0).toBe(streaming === 'disk');
    expect(service.faults).toEqual([]);
  });
});
