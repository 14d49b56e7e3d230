import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { childEnvironment, relayEnvironment } from '../../../src/cli/relay/child-environment.ts';
import { pairs, passedOn } from '../../../src/cli/relay/fields.ts';
import { ProxyPassword } from '../../../src/cli/relay/proxy-password.ts';

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/);
const value = fc.stringMatching(/^[!-~]{0,20}$/);

describe('fields that are passed on', () => {
  test('are those that came, in their order and spelling, without what belongs to the connection', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.array(name), (fields, named) => {
        const raw = [...fields, ['Connection', named.join(', ')] as [string, string]];
        const lower = (text: string) => text.toLowerCase();
        const dropped = new Set([
          ...['connection', 'proxy-connection', 'keep-alive', 'te', 'upgrade'],
          ...['proxy-authenticate', 'proxy-authorization', 'sallyport-dpop'],
          ...fields
            .filter(([field]) => lower(field) === 'connection')
            .flatMap(([, text]) => lower(text).split(',')),
          ...named.map(lower),
        ]);
        const kept = fields.filter(([field]) => !dropped.has(lower(field)));
        expect(pairs(passedOn(raw.flat()))).toEqual(kept);
      }),
    );
  });
});

describe('the password of a run', () => {
  const password = new ProxyPassword();
  const { username, password: secret } = new URL(password.proxyUrl(1));
  const basic = (user: string, pass: string) => Buffer.from(`${user}:${pass}`).toString('base64');

  test('is taken in any spelling of the scheme', () => {
    for (const scheme of ['Basic', 'basic', 'BASIC']) {
      expect(password.accepts(`${scheme} ${basic(username, secret)}`)).toBe(true);
    }
  });

  test('is taken whole and alone', () => {
    const good = basic(username, secret);
    const wrong = [undefined, '', 'Basic', `Basic ${good}x`, `Basic ${good} `, good, `Bearer ${good}`];
    wrong.push(`Basic ${basic('other', secret)}`, `Basic ${basic(username, secret.slice(1))}`);
    expect(wrong.filter((field) => password.accepts(field))).toEqual([]);
  });

  test('is no other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => !password.accepts(text) && !password.accepts(`Basic ${text}`)),
    );
  });
});

describe('the environment of the child', () => {
  const relay = relayEnvironment({
    proxyUrl: 'http://run:x@127.0.0.1:1',
    authorityFile: '/a',
    bundleFile: '/b',
    hookSocket: '/h',
  });

  test('has the relay’s word over the parent’s, and of our own settings only where its hooks ask', () => {
    const parent = {
      PATH: '/bin',
      HTTPS_PROXY: 'http://elsewhere',
      NO_PROXY: '*',
      SALLYPORT_HOME: '/secret',
    };
    expect(childEnvironment(parent, relay)).toMatchObject({
      PATH: '/bin',
      HTTPS_PROXY: relay.HTTPS_PROXY,
      NO_PROXY: '',
    });
    const ours = Object.keys(childEnvironment(parent, relay)).filter((key) => /sallyport/i.test(key));
    expect(ours).toEqual(['SALLYPORT_HOOK_SOCKET']);
  });

  test('tells each kind of client where the proxy and the certificates are', () => {
    expect(relay).toMatchObject({
      ...{ http_proxy: 'http://run:x@127.0.0.1:1', ALL_PROXY: 'http://run:x@127.0.0.1:1' },
      ...{ NODE_USE_ENV_PROXY: '1', NODE_EXTRA_CA_CERTS: '/a', DENO_CERT: '/a' },
      ...{ SSL_CERT_FILE: '/b', REQUESTS_CA_BUNDLE: '/b', CURL_CA_BUNDLE: '/b', GIT_SSL_CAINFO: '/b' },
      ...{ PIP_CERT: '/b', npm_config_cafile: '/b', AWS_CA_BUNDLE: '/b', CARGO_HTTP_CAINFO: '/b' },
    });
  });
});
