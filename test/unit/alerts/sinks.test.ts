import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type NewSink, type Send, Sinks } from '../../../src/alerts/index.ts';
import { type AuditEvent, Refusal, SecretBytes } from '../../../src/core/index.ts';
import { openStorage, type Storage } from '../../../src/storage/index.ts';
import { openVault } from '../../../src/vault/index.ts';
import { makeTestAuthority } from '../../support/certificates.ts';
import { openLog, sealer, send, startReceiver, temporaryFolder } from './support.ts';

let now = Date.now();

interface Bench {
  readonly sinks: Sinks;
  readonly storage: Storage;
  readonly directory: string;
  readonly events: AuditEvent[];
}

async function openBench(o: { readonly send?: Send } = {}): Promise<Bench> {
  const folder = temporaryFolder();
  const storage = await openStorage({
    kind: 'sqlite',
    file: join(folder, 'sallyport.db'),
    durability: 'process',
  });
  onTestFinished(() => storage.close());
  const log = await openLog(join(folder, 'audit'));
  const events: AuditEvent[] = [];
  const directory = join(folder, 'alerts');
  now = Date.now();
  const sinks = new Sinks({
    store: storage.sinks,
    sealer,
    tools: { send: o.send ?? send, directory, timeoutMs: 2000 },
    audit: (event) => {
      events.push(event);
      return log.append(event);
    },
    clock: { now: () => now },
  });
  return { sinks, storage, directory, events };
}

function webhookTo(url: string, o: Partial<NewSink> = {}): NewSink {
  return {
    tenant: 'default',
    name: 'soc',
    kind: 'webhook',
    options: { url, allowPrivate: true },
    minSeverity: 'low',
    ...o,
  };
}

const shown = (secret: SecretBytes | null): string =>
  secret?.use((bytes) => Buffer.from(bytes).toString('utf8')) ?? '';

describe('a webhook', () => {
  test('is signed so that the standardwebhooks package verifies it, and only with its secret', async () => {
    const { sinks } = await openBench();
    const receiver = await startReceiver();
    const { sink, secret } = await sinks.put(webhookTo(receiver.url), 'admin');
    expect(await sinks.test('default', sink.id, 'admin')).toEqual({ outcome: 'delivered' });
    const [got] = receiver.received;
    const message = new Webhook(shown(secret)).verify(got?.body ?? '', got?.headers ?? {});
    expect(message).toMatchObject({ type: 'alert.test', data: { alertId: got?.headers['webhook-id'] } });
    expect(got?.headers['content-type']).toBe('application/json');
    const stranger = new Webhook(`whsec_${Buffer.alloc(32, 1).toString('base64')}`);
    expect(() => stranger.verify(got?.body ?? '', got?.headers ?? {})).toThrow();
    expect(() => new Webhook(shown(secret)).verify(`${got?.body} `, got?.headers ?? {})).toThrow();
  });

  test('takes a secret that the administrator has, and does not show it again', async () => {
    const { sinks } = await openBench();
    const receiver = await startReceiver();
    const mine = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const { sink, secret } = await sinks.put(
      webhookTo(receiver.url, { secret: SecretBytes.fromUtf8(mine) }),
      'admin',
    );
    expect(secret).toBeNull();
    await sinks.test('default', sink.id, 'admin');
    const [got] = receiver.received;
    expect(() => new Webhook(mine).verify(got?.body ?? '', got?.headers ?? {})).not.toThrow();
  });

  test('signs with the old and the new secret after a rotation, until the overlap is over', async () => {
    const { sinks } = await openBench();
    const receiver = await startReceiver();
    const { sink, secret: before } = await sinks.put(webhookTo(receiver.url), 'admin');
    const after = await sinks.rotateSecret({ tenant: 'default', id: sink.id, overlapMs: 60_000 }, 'admin');
    await sinks.test('default', sink.id, 'admin');
    const [during] = receiver.received;
    expect(during?.headers['webhook-signature']?.split(' ').length).toBe(2);
    for (const secret of [before, after]) {
      expect(() =>
        new Webhook(shown(secret)).verify(during?.body ?? '', during?.headers ?? {}),
      ).not.toThrow();
    }
    now += 60_000;
    await sinks.test('default', sink.id, 'admin');
    const [, later] = receiver.received;
    expect(() => new Webhook(shown(after)).verify(later?.body ?? '', later?.headers ?? {})).not.toThrow();
    expect(() => new Webhook(shown(before)).verify(later?.body ?? '', later?.headers ?? {})).toThrow();
  });

  test('goes over TLS', async () => {
    const authority = await makeTestAuthority();
    const identity = await authority.issue('localhost');
    let body = '';
    const server = createServer(identity, (request, response) => {
      request.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => response.writeHead(200).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const trusting: Send = ({ url, headers, body: content }) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(
          url,
          { method: 'POST', headers, ca: authority.certificatePem },
          (answer) => {
            answer.resume();
            resolve({ status: answer.statusCode ?? 0, retryAfterMs: null });
          },
        );
        request.on('error', reject).end(content);
      });
    const { sinks } = await openBench({ send: trusting });
    const { sink } = await sinks.put(webhookTo(`https://localhost:${port}/`), 'admin');
    expect(await sinks.test('default', sink.id, 'admin')).toEqual({ outcome: 'delivered' });
    expect(JSON.parse(body).type).toBe('alert.test');
  });

  test('tells how a test failed: an answer that is not 2xx, a redirect, nobody there', async () => {
    const { sinks } = await openBench();
    const receiver = await startReceiver();
    const { sink } = await sinks.put(webhookTo(receiver.url), 'admin');
    for (const [status, outcome] of [
      [500, 'failed'],
      [302, 'failed'],
      [400, 'failed'],
      [410, 'gone'],
    ] as const) {
      receiver.answer = () => ({ status });
      const result = await sinks.test('default', sink.id, 'admin');
      expect(result).toMatchObject({ outcome, error: `the receiver answered ${status}` });
    }
    const { sink: nobody } = await sinks.put(webhookTo('http://127.0.0.1:9/', { name: 'nobody' }), 'admin');
    expect(await sinks.test('default', nobody.id, 'admin')).toMatchObject({ outcome: 'failed' });
  });

  test('hands the guarded sender what it needs to keep its rules', async () => {
    const requests: Parameters<Send>[0][] = [];
    const { sinks } = await openBench({
      send: async (request) => {
        requests.push(request);
        throw new Refusal('destination_private');
      },
    });
    const { sink } = await sinks.put(
      webhookTo('https://hooks.example/', { options: { url: 'https://hooks.example/' } }),
      'admin',
    );
    expect(await sinks.test('default', sink.id, 'admin')).toMatchObject({ outcome: 'failed' });
    expect(requests).toMatchObject([{ url: 'https://hooks.example/', allowPrivate: false, timeoutMs: 2000 }]);
  });

  test.each([
    ['plain HTTP without allowPrivate', { url: 'http://hooks.example/' }],
    ['no URL', { url: 'hooks' }],
    ['another scheme', { url: 'ftp://hooks.example/', allowPrivate: true }],
    ['a password in the URL', { url: 'https://user:FAKE@hooks.example/' }],
    ['a fragment', { url: 'https://hooks.example/#x' }],
    ['an unknown option', { url: 'https://hooks.example/', method: 'PUT' }],
    ['nothing', {}],
    ['an endless URL', { url: `https://hooks.example/${'x'.repeat(3000)}` }],
  ])('with %s is refused', async (_, options) => {
    const { sinks, events } = await openBench();
    await expect(sinks.put(webhookTo('', { options }), 'admin')).rejects.toMatchObject({
      code: 'input_invalid',
    });
    expect(await sinks.list('default')).toEqual([]);
    expect(events).toEqual([]);
  });

  test.each([
    'whsec_=',
    'whsec_AAAA',
    'AAAA',
    `whsec_${Buffer.alloc(65).toString('base64')}`,
    'whsec_*'.repeat(9),
  ])('with the secret %s is refused, without showing it', async (text) => {
    const { sinks } = await openBench();
    const put = sinks.put(webhookTo('https://h.example/', { secret: SecretBytes.fromUtf8(text) }), 'admin');
    await expect(put).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(put).rejects.not.toThrow(text);
  });
});

describe('a file sink', () => {
  test('appends one line an alert to a file for its owner alone', async () => {
    const { sinks, directory } = await openBench();
    const { sink, secret } = await sinks.put(
      { tenant: 'default', name: 'file', kind: 'file', options: { file: 'soc.jsonl' }, minSeverity: 'low' },
      'admin',
    );
    expect(secret).toBeNull();
    await sinks.test('default', sink.id, 'admin');
    await sinks.test('default', sink.id, 'admin');
    const file = join(directory, 'soc.jsonl');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toEqual(['alert.test', 'alert.test']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    // A crash in the middle of a line costs that line, not the next.
    writeFileSync(file, '{"type":"al');
    await sinks.test('default', sink.id, 'admin');
    expect(JSON.parse(readFileSync(file, 'utf8').split('\n')[1] ?? '').type).toBe('alert.test');
  });

  test.each(['../x.jsonl', '/etc/x.jsonl', 'a/b.jsonl', '.hidden.jsonl', 'x.txt', '', 'a\0.jsonl'])(
    'does not take the name %j',
    async (file) => {
      const { sinks } = await openBench();
      const put = sinks.put(
        { tenant: 'default', name: 'file', kind: 'file', options: { file }, minSeverity: 'low' },
        'admin',
      );
      await expect(put).rejects.toMatchObject({ code: 'input_invalid' });
    },
  );

  test('does not follow a link out of its folder', async () => {
    const { sinks, directory } = await openBench();
    const { sink } = await sinks.put(
      { tenant: 'default', name: 'file', kind: 'file', options: { file: 'soc.jsonl' }, minSeverity: 'low' },
      'admin',
    );
    await sinks.test('default', sink.id, 'admin');
    const target = join(temporaryFolder(), 'target');
    writeFileSync(target, '');
    symlinkSync(target, join(directory, 'link.jsonl'));
    const { sink: link } = await sinks.put(
      { tenant: 'default', name: 'link', kind: 'file', options: { file: 'link.jsonl' }, minSeverity: 'low' },
      'admin',
    );
    expect(await sinks.test('default', link.id, 'admin')).toMatchObject({ outcome: 'failed' });
    expect(readFileSync(target, 'utf8')).toBe('');
  });
});

describe('managing sinks', () => {
  test('records each change, and the secret nowhere', async () => {
    const { sinks, storage, events } = await openBench();
    const receiver = await startReceiver();
    const { sink, secret } = await sinks.put(webhookTo(receiver.url), 'admin');
    const rotated = await sinks.rotateSecret({ tenant: 'default', id: sink.id }, 'admin');
    await sinks.test('default', sink.id, 'admin');
    await sinks.setStatus('default', sink.id, 'disabled', 'admin');
    expect((await sinks.get('default', sink.id)).status).toBe('disabled');
    await sinks.setStatus('default', sink.id, 'active', 'admin');
    const stored = JSON.stringify(await storage.sinks.all());
    await sinks.delete('default', sink.id, 'admin');
    expect(events.map(({ type }) => type)).toEqual([
      'sink.put',
      'sink.rotated',
      'sink.tested',
      'sink.disabled',
      'sink.enabled',
      'sink.deleted',
    ]);
    expect(await sinks.list('default')).toEqual([]);
    for (const one of [shown(secret), shown(rotated)]) {
      expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      for (const text of [JSON.stringify(events), stored]) {
        expect(text).not.toContain(one.slice(6));
        expect(text).not.toContain(Buffer.from(one.slice(6), 'base64').toString('hex'));
      }
    }
  });

  test('says no to a taken name, an unknown kind, a bad name, a secret where none is used', async () => {
    const { sinks, events } = await openBench();
    await sinks.put(webhookTo('https://a.example/'), 'admin');
    const before = events.length;
    const put = (o: Partial<NewSink>) => sinks.put(webhookTo('https://a.example/', o), 'admin');
    await expect(put({})).rejects.toMatchObject({ code: 'conflict' });
    await expect(put({ name: 'other', kind: 'pigeon' })).rejects.toMatchObject({ code: 'input_invalid' });
    await expect(put({ name: 'Not a name' })).rejects.toMatchObject({ code: 'input_invalid' });
    const file = {
      name: 'f',
      kind: 'file',
      options: { file: 'a.jsonl' },
      secret: SecretBytes.fromUtf8('whsec_x'),
    };
    await expect(put(file)).rejects.toMatchObject({ code: 'input_invalid' });
    expect(events.length).toBe(before);
  });

  test('finds nothing in another tenant', async () => {
    const { sinks } = await openBench();
    const { sink } = await sinks.put(webhookTo('https://a.example/'), 'admin');
    expect(await sinks.list('other')).toEqual([]);
    for (const work of [
      () => sinks.get('other', sink.id),
      () => sinks.delete('other', sink.id, 'admin'),
      () => sinks.test('other', sink.id, 'admin'),
      () => sinks.setStatus('other', sink.id, 'disabled', 'admin'),
      () => sinks.rotateSecret({ tenant: 'other', id: sink.id }, 'admin'),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  test('changes nothing that can’t be recorded', async () => {
    const { sinks, storage } = await openBench();
    const { sink } = await sinks.put(webhookTo('https://a.example/'), 'admin');
    const mute = new Sinks({
      store: storage.sinks,
      sealer,
      tools: { send, directory: '', timeoutMs: 1 },
      audit: () => Promise.reject(new Refusal('audit_unavailable')),
      clock: { now: () => now },
    });
    await expect(mute.put(webhookTo('https://b.example/', { name: 'b' }), 'admin')).rejects.toThrow();
    await expect(mute.delete('default', sink.id, 'admin')).rejects.toThrow();
    await expect(mute.rotateSecret({ tenant: 'default', id: sink.id }, 'admin')).rejects.toThrow();
    expect((await sinks.list('default')).map(({ name }) => name)).toEqual(['soc']);
  });

  test('a sealed secret that was moved to another sink in the database does not open', async () => {
    const { sinks, storage } = await openBench();
    const { sink: one } = await sinks.put(webhookTo('https://a.example/'), 'admin');
    const { sink: two } = await sinks.put(webhookTo('https://b.example/', { name: 'b' }), 'admin');
    const stolen = await storage.sinks.get('default', one.id);
    await storage.sinks.setSecret('default', two.id, stolen?.sealedSecret ?? new Uint8Array());
    await expect(sinks.test('default', two.id, 'admin')).rejects.toThrow('sealed for something else');
  });

  test('works with the keyring of the real vault', async () => {
    const { storage } = await openBench();
    const receiver = await startReceiver();
    const vault = await openVault({
      store: storage.credentials,
      keysDirectory: join(temporaryFolder(), 'keys'),
      seal: { kind: 'file' },
      clock: { now: () => now },
      audit: async () => {},
    });
    onTestFinished(() => vault.close());
    const log = await openLog(join(temporaryFolder(), 'audit'));
    const sinks = new Sinks({
      store: storage.sinks,
      sealer: {
        seal: (context, bytes) => vault.sealBlob(context, bytes),
        open: (context, sealed) => vault.openBlob(context, sealed),
      },
      tools: { send, directory: '', timeoutMs: 1000 },
      audit: (event) => log.append(event),
      clock: { now: () => now },
    });
    const { sink } = await sinks.put(webhookTo(receiver.url), 'admin');
    const secret = await sinks.rotateSecret({ tenant: 'default', id: sink.id }, 'admin');
    expect(await sinks.test('default', sink.id, 'admin')).toEqual({ outcome: 'delivered' });
    const [got] = receiver.received;
    expect(() => new Webhook(shown(secret)).verify(got?.body ?? '', got?.headers ?? {})).not.toThrow();
  });
});
