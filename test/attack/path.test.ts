import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/core/index.ts';
import { canonicalHost, parseAuthority } from '../../src/gateway/ingress/authority.ts';
import { canonicalPath } from '../../src/gateway/ingress/canonical-path.ts';
import { findVectors } from '../support/shared.ts';
import { run as runPaths } from '../vectors/path-canonical.ts';
import { run as runUrls } from '../vectors/url-parse.ts';

const vectors = findVectors();
const REFUSE = { encodedSlash: 'refuse' } as const;
const OPAQUE = { encodedSlash: 'opaque' } as const;

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

const pathText = fc
  .array(
    fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2F',
      '%5c',
      '%25',
      ';',
      'a',
      '%C3%A9',
      '%c0%af',
      '~',
      '%7e',
      '\\',
      ' ',
      '%00',
      '%',
      '?',
      'é',
      '%EF%BC%8F',
      '%u002f',
      '%252e',
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`);

describe('paths', () => {
  test.skipIf(vectors === null)('every path vector (skipped without shared vectors)', async () => {
    expect((await runPaths(`${vectors}/path-canonical.json`)).failures).toEqual([]);
  });

  test.skipIf(vectors === null)('every URL vector (skipped without shared vectors)', async () => {
    expect((await runUrls(`${vectors}/url-parse.json`)).failures).toEqual([]);
  });

  test('what is accepted is stable, and no parser of the platform reads it as another path', () => {
    fc.assert(
      fc.property(pathText, fc.constantFrom(REFUSE, OPAQUE), (raw, rules) => {
        const path = attempt(() => canonicalPath(raw, rules));
        if (path === null) return;
        expect(canonicalPath(path, rules)).toBe(path);
        expect(new URL(`http://x${path}`).pathname).toBe(path);
        expect(path).not.toMatch(/\/\.{1,2}(?:\/|$)|\/\/|\\|[^\x21-\x7e]/);
      }),
      { numRuns: 3_000 },
    );
  });

  test('an opaque encoded slash stays one byte, and hides no dot segment', () => {
    expect(canonicalPath('/@scope%2fname', OPAQUE)).toBe('/@scope%2Fname');
    expect(attempt(() => canonicalPath('/@scope%2fname', REFUSE))).toBeNull();
    expect(attempt(() => canonicalPath('/a%2f..%2fb', OPAQUE))).toBeNull();
    expect(attempt(() => canonicalPath('/a/..%2fb', OPAQUE))).toBeNull();
  });
});

describe('hosts', () => {
  test('what is accepted is stable, and reads the same to the URL parser', () => {
    const text = fc.array(
      fc.constantFrom(
        'a',
        'B',
        '.',
        '-',
        '0',
        '127',
        '0x',
        'é',
        'xn--',
        '%00',
        '@',
        ':',
        '[',
        ']',
        '\u0000',
        '。',
        'example.com',
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(text, (parts) => {
        const host = attempt(() => canonicalHost(parts.join('')));
        if (host === null) return;
        expect(canonicalHost(host)).toBe(host);
        expect(new URL(`http://${host}/`).hostname).toBe(host);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    '',
    ':',
    'a:b:c',
    '::1',
    '[::1',
    '[::1]x',
    '[127.0.0.1]:80',
    '[::1%25lo]:1',
    'a:0',
    'a:65536',
    'a:+1',
    'a b',
    'u@h',
    'h/p',
    '1.2.3',
    '0x7f.1',
    'attacker.example\0.google.com',
  ])('%j names no place', (text) => {
    expect(attempt(() => parseAuthority(text))).toBeNull();
  });

  test('a place has one name', () => {
    expect(parseAuthority('API.Example.COM.:443')).toEqual({ host: 'api.example.com', port: 443 });
    expect(parseAuthority('bücher.example')).toEqual({ host: 'xn--bcher-kva.example', port: null });
    expect(parseAuthority('[2606:4700:4700:0::1111]:443')).toEqual({
      host: '2606:4700:4700::1111',
      port: 443,
    });
  });
});
