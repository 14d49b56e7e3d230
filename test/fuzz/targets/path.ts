import { Refusal } from '../../../src/core/index.ts';
import { canonicalHost } from '../../../src/gateway/ingress/authority.ts';
import { canonicalPath } from '../../../src/gateway/ingress/canonical-path.ts';
import { type FuzzTarget, latin, mustHold, pure } from '../target.ts';

function attempt(work: () => string): string | null {
  try {
    return work();
  } catch (fault) {
    if (fault instanceof Refusal) return null;
    throw fault;
  }
}

/** Whether a reader who decodes up to four times, and cuts at `;`, finds a dot segment. */
function hidesDotSegment(path: string): boolean {
  let reading = path;
  for (let round = 0; round < 4; round++) {
    if (/(?:^|[/\\])\.\.?(?:[;?#/\\\0]|$)/.test(reading)) return true;
    reading = reading.replace(/%([0-9a-f]{2})/gi, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
  }
  return false;
}

export const path: FuzzTarget = {
  name: 'path',
  promise:
    'A path is refused, or canonical: stable, read alike by the URL parser, and without hidden dot segments.',
  seeds: ['/a/b/../c', '/public/%2e%2e/secret', '/@scope%2Fname/x', '/a;b=1/c', '/%C3%A9/~x', '/a//b/./c'],
  dictionary: [
    '/',
    '..',
    '.',
    '%2e',
    '%2F',
    '%5c',
    '%25',
    '%252e',
    ';',
    '%00',
    '\\',
    '%c0%ae',
    '%u002e',
    '//',
    '%EF%BC%8F',
  ],
  open: pure((input) => {
    const raw = `/${latin(input)}`;
    for (const encodedSlash of ['refuse', 'opaque'] as const) {
      const canonical = attempt(() => canonicalPath(raw, { encodedSlash }));
      if (canonical === null) continue;
      mustHold(canonicalPath(canonical, { encodedSlash }) === canonical, `not stable: ${canonical}`);
      mustHold(
        new URL(`http://x${canonical}`).pathname === canonical,
        `the URL parser reads ${canonical} otherwise`,
      );
      mustHold(!hidesDotSegment(canonical), `a dot segment hides in ${canonical}`);
      mustHold(/^[\x21-\x7e]+$/.test(canonical), `not plain ASCII: ${JSON.stringify(canonical)}`);
    }
  }),
};

export const host: FuzzTarget = {
  name: 'host',
  promise: 'A host is refused, or canonical: stable, and the same to the URL parser.',
  seeds: [
    'api.example',
    'API.Example.COM.',
    '127.0.0.1',
    '[::1]',
    'xn--bcher-kva.example',
    'b\xc3\xbccher.example',
  ],
  dictionary: [
    '.',
    '-',
    '0x7f',
    '127',
    '::',
    '[',
    ']',
    '%00',
    '\0',
    '@',
    ':',
    'xn--',
    '\u00ad',
    '1e3',
    '::ffff:',
  ],
  open: pure((input) => {
    const canonical = attempt(() => canonicalHost(Buffer.from(input).toString('utf8')));
    if (canonical === null) return;
    mustHold(canonicalHost(canonical) === canonical, `not stable: ${canonical}`);
    const written = canonical.includes(':') ? `[${canonical}]` : canonical;
    mustHold(new URL(`http://${written}/`).hostname === written, `the URL parser reads ${written} otherwise`);
  }),
};
