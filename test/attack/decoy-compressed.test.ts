import zlib from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';

/** G11 for what is compressed on its way out. */

let gate: RealGate;
let plain: EchoUpstream;
let decoy: string;
let client: GateClient;

beforeAll(async () => {
  plain = await openEchoUpstream();
  gate = await openRealGate();
  await gate.services.put(
    {
      name: 'plain',
      origins: [`http://plain.example:${plain.port}`],
      allowPrivate: true,
      credential: null,
      upstreamCa: null,
    },
    'admin',
  );
  const planted = await gate.detector.decoys.plant(
    { tenant: 'default', kind: 'credential', name: 'packed', severity: 'critical' },
    'admin',
  );
  decoy = planted.value;
});
// Of its own for each test: who used a decoy is let through nowhere.
beforeEach(async () => {
  const agent = await gate.newAgent(['plain:read', 'plain:write']);
  client = await GateClient.of(agent, gate.gateway.port);
});
afterAll(async () => {
  await gate?.close();
  plain?.close();
});

async function* pieces(body: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 1_000) yield body.subarray(at, at + 1_000);
}

const post = (body: Buffer, coding: string) =>
  client.ask('/s/plain/upload', {
    method: 'POST',
    body: pieces(body),
    headers: { 'content-type': 'application/json', 'content-encoding': coding },
  });

const CODINGS: readonly (readonly [name: string, pack: (bytes: Buffer) => Buffer])[] = [
  ['gzip', zlib.gzipSync],
  ['deflate', zlib.deflateSync],
  ['deflate', zlib.deflateRawSync],
  ['br', zlib.brotliCompressSync],
  ['zstd', zlib.zstdCompressSync],
  ['gzip, br', (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes))],
  ['gzip', (bytes) => Buffer.concat([zlib.gzipSync('{}'), zlib.gzipSync(bytes)])],
];

describe('a decoy in a compressed body', () => {
  it.each(CODINGS)('does not leave as %s', async (coding, pack) => {
    const before = plain.seen.length;
    const text = `{"notes":"${'word '.repeat(500)}","key":"${Buffer.from(decoy).toString('base64')}"}`;
    const { json } = await post(pack(Buffer.from(text)), coding);
    expect(json.code).toBe('decoy_used');
    expect(plain.seen.length).toBe(before);
  });

  it('does not leave in a body that is cut off behind it', async () => {
    const packed = zlib.gzipSync(Buffer.from(`${decoy}${'word '.repeat(5_000)}`), { level: 0 });
    expect((await post(packed.subarray(0, -40), 'gzip')).json.code).toBe('decoy_used');
  });
});

describe('a compressed body without a decoy', () => {
  it.each(CODINGS)('arrives as it was sent, as %s', async (coding, pack) => {
    const packed = pack(Buffer.from(`{"notes":"${'word '.repeat(5_000)}"}`));
    expect((await post(packed, coding)).status).toBe(200);
    expect(plain.seen.at(-1)?.body).toBe(packed.toString('latin1'));
  });

  it('arrives when it is damaged or of a coding that nobody knows: that is its receiver’s matter', async () => {
    expect((await post(Buffer.from('no gzip at all'), 'gzip')).status).toBe(200);
    expect((await post(Buffer.from('whatever'), 'x-own')).status).toBe(200);
  });

  it('is refused when it is a bomb', async () => {
    const before = plain.seen.length;
    const { status, json } = await post(zlib.gzipSync(Buffer.alloc(8 * 1024 * 1024)), 'gzip');
    expect([status, json.code]).toEqual([400, 'input_invalid']);
    expect(plain.seen.length).toBe(before);
  });
});
