import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileNeedles, type InjectorSpec, SecretBytes } from '../../../src/core/index.ts';
import { inject, injectedForms, type OpenedCredential } from '../../../src/vault/index.ts';
import { injectorOf, type OutboundDraft } from '../../../src/vault/injectors/index.ts';

const DRAFT: OutboundDraft = {
  headers: [['accept', '*/*']],
  path: '/v1/users',
  query: 'page=2',
};

function opened(injector: InjectorSpec, secret: string | Uint8Array): OpenedCredential {
  return {
    name: 'github',
    version: 1,
    injector,
    upstreamCa: null,
    allowPrivate: false,
    secret: typeof secret === 'string' ? SecretBytes.fromUtf8(secret) : new SecretBytes(secret),
    [Symbol.dispose]: () => {},
  };
}

const header = (name: string, prefix = '') => ({ kind: 'header', name, prefix }) as const;

describe('bearer, basic and header', () => {
  it.each([
    [{ kind: 'bearer' } as const, ['authorization', 'Bearer fake-secret']],
    [{ kind: 'basic', username: 'me' } as const, ['authorization', `Basic ${btoa('me:fake-secret')}`]],
    [header('X-Api-Key'), ['x-api-key', 'fake-secret']],
    [header('Authorization', 'token '), ['authorization', 'token fake-secret']],
  ])('%j sets one field', (spec, field) => {
    expect(inject(opened(spec, 'fake-secret'), DRAFT)).toEqual({
      ...DRAFT,
      headers: [['accept', '*/*'], field],
    });
  });

  it('replace what the agent sent itself, in any case, any number, and with underscores', () => {
    const headers = [
      ['x-api-key', 'mine'],
      ['X-API-KEY', 'mine'],
      ['x_api_key', 'mine'],
      ['accept', '*/*'],
      ['x-api-key2', 'other'],
    ] as const;
    const { headers: sent } = inject(opened(header('X-Api-Key'), 'fake-secret'), { ...DRAFT, headers });
    expect(sent).toEqual([
      ['accept', '*/*'],
      ['x-api-key2', 'other'],
      ['x-api-key', 'fake-secret'],
    ]);
  });

  it('write the bytes of the secret, one character a byte', () => {
    const { headers } = inject(opened({ kind: 'bearer' }, 'fake-sécret'), DRAFT);
    expect(Buffer.from(headers[1]?.[1] ?? '', 'latin1').toString('utf8')).toBe('Bearer fake-sécret');
  });

  it('never let a secret that was stored break the line of its field', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 40 }), (secret) => {
        for (const spec of [
          { kind: 'bearer' },
          header('x-key', 'p '),
          { kind: 'basic', username: 'u' },
        ] as const) {
          if (injectorOf(spec).faultOfSecret(secret) !== null) continue;
          const { headers } = inject(opened(spec, Uint8Array.from(secret)), DRAFT);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
          expect(headers[1]?.[1]).toMatch(/^[^\u0000-\u001f\u007f]+$/);
        }
      }),
    );
  });

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'connection',
    'TE',
    'proxy-authorization',
    'sallyport-dpop',
    'range',
    '',
    'x key',
    'x:key',
    'x\r\ny',
    'schlüssel',
    'x'.repeat(65),
  ])('refuse the header name %j', (name) => {
    expect(injectorOf(header(name)).faultOf()).not.toBeNull();
  });

  it.each([
    [header('x-key', 'a\r\nb: ')],
    [header('x-key', ' a')],
    [{ kind: 'basic', username: 'a:b' } as const],
    [{ kind: 'basic', username: 'a\nb' } as const],
    [{ kind: 'query', name: '' } as const],
    [{ kind: 'query', name: 'a b' } as const],
  ])('refuse %j', (spec) => {
    expect(injectorOf(spec).faultOf()).not.toBeNull();
  });
});

describe('query', () => {
  const query = (given: string, secret = 'fake-secret') =>
    inject(opened({ kind: 'query', name: 'api_key' }, secret), { ...DRAFT, query: given }).query;

  it('sets the parameter once, behind what the agent sent', () => {
    expect(query('')).toBe('api_key=fake-secret');
    expect(query('a=1&b')).toBe('a=1&b&api_key=fake-secret');
  });

  it('replaces what the agent sent under that name, however it is written', () => {
    expect(query('api_key=mine&a=1&api%5Fkey=mine&%61pi_key&api_keys=other')).toBe(
      'a=1&api_keys=other&api_key=fake-secret',
    );
  });

  it('percent-encodes every byte that is not unreserved', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 8, maxLength: 30 }), (secret) => {
        const [pair = ''] = query('', secret.toWellFormed()).split('&');
        expect(pair).toMatch(/^api_key=([A-Za-z0-9\-._~]|%[0-9A-F]{2})+$/);
        expect(decodeURIComponent(pair.slice('api_key='.length))).toBe(secret.toWellFormed());
      }),
    );
  });
});

describe('injectedForms', () => {
  it('are found in whatever was injected', () => {
    for (const spec of [
      { kind: 'bearer' },
      { kind: 'basic', username: 'someone' },
      header('x-key', 'token '),
      { kind: 'query', name: 'key' },
    ] as const) {
      const credential = opened(spec, 'fake secret/with+signs');
      const draft = inject(credential, DRAFT);
      const sent = Buffer.from(`${draft.query} ${draft.headers.flat().join(' ')}`, 'latin1');
      expect(compileNeedles(injectedForms(credential)).matcher().push(sent)).not.toEqual([]);
    }
  });

  it('hold the whole token of basic', () => {
    const forms = injectedForms(opened({ kind: 'basic', username: 'me' }, 'fake-secret'));
    expect(forms.map((form) => Buffer.from(form).toString())).toEqual([
      'fake-secret',
      btoa('me:fake-secret'),
    ]);
  });
});

it('an opened credential prints no secret', () => {
  const credential = opened({ kind: 'bearer' }, 'fake-secret');
  for (const text of [
    inspect(credential, { depth: 9, showHidden: true }),
    JSON.stringify(credential),
    `${credential.secret}`,
  ]) {
    expect(text).not.toContain('fake-secret');
    expect(text).toContain('[secret]');
  }
});
