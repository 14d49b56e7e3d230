import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/core/index.ts';
import { classifyAddress } from '../../src/gateway/egress/addresses.ts';
import { systemDial } from '../../src/gateway/egress/connector.ts';
import { EgressGuard } from '../../src/gateway/egress/destination.ts';
import { guardedSend } from '../../src/gateway/egress/guarded-send.ts';
import { parseService } from '../../src/gateway/index.ts';
import { openEchoUpstream } from '../support/echo-upstream.ts';
import { findVectors } from '../support/shared.ts';
import { run } from '../vectors/ssrf.ts';

const vectors = findVectors();

function guard(
  answers: Readonly<Record<string, readonly string[]>>,
  ownPorts: readonly number[] = [],
): EgressGuard {
  return new EgressGuard({
    resolve: async (host) => answers[host] ?? [],
    ownPorts: () => ownPorts,
    now: () => Date.now(),
  });
}

async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work);
    return 'allowed';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('destinations', () => {
  test.skipIf(vectors === null)(
    'every vector, through the real gate (skipped without shared vectors)',
    async () => {
      const result = await run(`${vectors}/ssrf.json`);
      expect(result.failures).toEqual([]);
    },
  );

  test('one bad address among the answers refuses the name', async () => {
    const egress = guard({ 'mixed.example': ['93.184.216.34', '10.0.0.1'] });
    const origin = { scheme: 'https', host: 'mixed.example', port: 443 } as const;
    expect(await codeOf(egress.pin(origin, { allowPrivate: false }))).toBe('destination_private');
    expect(await codeOf(egress.pin(origin, { allowPrivate: true }))).toBe('allowed');
  });

  test.each([
    '169.254.169.254',
    'fd00:ec2::254',
    '168.63.129.16',
    '100.100.100.200',
    '::ffff:169.254.169.254',
    '0.0.0.0',
    '64:ff9b::a9fe:a9fe',
  ])('%s is refused even where private ranges are allowed', async (address) => {
    const egress = guard({ 'name.example': [address] });
    const origin = { scheme: 'http', host: 'name.example', port: 80 } as const;
    expect(await codeOf(egress.pin(origin, { allowPrivate: true }))).toBe('destination_private');
  });

  test('metadata names are refused even where private ranges are allowed', async () => {
    const egress = guard({ 'metadata.google.internal': ['93.184.216.34'] });
    const origin = { scheme: 'http', host: 'metadata.google.internal', port: 80 } as const;
    expect(await codeOf(egress.pin(origin, { allowPrivate: true }))).toBe('destination_private');
  });

  test('the gate’s own ports can not be reached through it, by no address of this machine', async () => {
    const egress = guard({ 'loop.example': ['127.0.0.1'], 'mapped.example': ['::ffff:127.0.0.1'] }, [8470]);
    for (const host of ['loop.example', 'mapped.example', '::ffff:7f00:1', '0:0:0:0:0:0:0:1']) {
      expect(await codeOf(egress.pin({ scheme: 'http', host, port: 8470 }, { allowPrivate: true }))).toBe(
        'destination_private',
      );
      expect(await codeOf(egress.pin({ scheme: 'http', host, port: 8472 }, { allowPrivate: true }))).toBe(
        'allowed',
      );
    }
  });

  test('a name is looked up once; a rebound answer is not asked for', async () => {
    let asked = 0;
    const egress = new EgressGuard({
      resolve: async () => (asked++ === 0 ? ['93.184.216.34'] : ['127.0.0.1']),
      ownPorts: () => [],
      now: () => 0,
    });
    const origin = { scheme: 'https', host: 'rebind.example', port: 443 } as const;
    const first = await egress.pin(origin, { allowPrivate: false });
    const second = await egress.pin(origin, { allowPrivate: false });
    expect([first.addresses, second.addresses, asked]).toEqual([['93.184.216.34'], ['93.184.216.34'], 1]);
  });

  test('addresses at the borders of special ranges', () => {
    for (const [address, kind] of [
      ['172.15.255.255', 'public'],
      ['172.16.0.0', 'private'],
      ['172.31.255.255', 'private'],
      ['172.32.0.0', 'public'],
      ['fe7f:ffff::1', 'invalid'],
      ['2001:200::1', 'public'],
      ['2001:1ff::1', 'invalid'],
      ['not an address', 'invalid'],
      ['fe80::1%eth0', 'invalid'],
    ]) {
      expect(`${address} ${classifyAddress(address ?? '')}`).toBe(`${address} ${kind}`);
    }
  });
});

describe('what administrators write', () => {
  const base = { name: 'api', origins: ['https://api.example.com'] };
  test.each([
    [{ ...base, origins: ['http://127.0.0.1'] }],
    [{ ...base, origins: ['https://localhost'] }],
    [{ ...base, origins: ['https://u:p@api.example.com'] }],
    [{ ...base, origins: ['https://api.example.com/path'] }],
    [{ ...base, origins: ['ftp://api.example.com'] }],
    [{ ...base, origins: [] }],
    [{ ...base, origins: ['https://api.example.com', 'https://API.example.com.'] }],
    [{ ...base, name: 'Api' }],
    [{ ...base, name: 'sallyport' }],
    [{ ...base, upstreamCa: 'not a certificate' }],
    [{ ...base, unknown: true }],
    [{ ...base, allowPrivate: true, origins: ['http://169.254.169.254'] }],
  ])('%j is no service', async (definition) => {
    expect(await codeOf(() => parseService(definition))).toBe('input_invalid');
  });

  test('a good definition takes safe values for what it leaves out', () => {
    expect(parseService({ ...base, origins: ['https://API.Example.com.:443'] })).toEqual({
      tenant: 'default',
      name: 'api',
      origins: [{ scheme: 'https', host: 'api.example.com', port: 443 }],
      credential: null,
      encodedSlash: 'refuse',
      allowPrivate: false,
      upstreamCa: null,
      inspectBody: false,
    });
  });
});

describe('webhooks', () => {
  test('go out under the same rules, and follow no redirect', async () => {
    const upstream = await openEchoUpstream();
    const egress = guard({ 'hooks.example': ['127.0.0.1'] });
    const request = { headers: {}, body: '{}', timeoutMs: 2_000 };
    const url = `http://hooks.example:${upstream.port}`;
    const tools = { guard: egress, dial: systemDial };
    const sent = await guardedSend(tools, { ...request, url: `${url}/redirect`, allowPrivate: true });
    expect(sent.status).toBe(302);
    expect(upstream.seen.length).toBe(1);
    expect(await codeOf(guardedSend(tools, { ...request, url, allowPrivate: false }))).toBe(
      'destination_private',
    );
    expect(
      await codeOf(guardedSend(tools, { ...request, url: 'file:///etc/passwd', allowPrivate: true })),
    ).toBe('input_invalid');
    upstream.close();
  });

  test('a receiver that never answers is given up', async () => {
    const upstream = await openEchoUpstream();
    const tools = {
      guard: guard({ 'hooks.example': ['127.0.0.1'] }),
      dial: () => connect(upstream.port, '127.0.0.1'),
    };
    const url = `http://hooks.example:${upstream.port}/stream`;
    const answer = await guardedSend(tools, {
      url,
      headers: {},
      body: '',
      timeoutMs: 500,
      allowPrivate: true,
    });
    expect(answer.status).toBe(200);
    upstream.close();
  });
});
