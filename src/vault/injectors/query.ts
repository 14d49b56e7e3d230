import type { Injector } from './injector.ts';

/** `?<name>=<secret>`, percent-encoded (RFC 3986). For services that know no better: queries end in logs. */
export const query: Injector<{ readonly kind: 'query'; readonly name: string }> = {
  faultOf({ name }) {
    return /^[\x21-\x7e]{1,64}$/.test(name)
      ? null
      : 'the name of the query parameter is not 1 to 64 printable ASCII characters';
  },
  faultOfSecret: () => null,
  inject(spec, secret, draft) {
    // What the agent sent under that name goes, however it is written (`api%5Fkey`): the upstream decodes it.
    const kept = draft.query.split('&').filter((pair) => pair !== '' && nameOf(pair) !== spec.name);
    kept.push(`${percent(Buffer.from(spec.name, 'latin1'))}=${percent(secret)}`);
    return { ...draft, query: kept.join('&') };
  },
  derived: () => [],
};

function nameOf(pair: string): string {
  const raw = (pair.split('=', 1)[0] ?? '').replaceAll('+', ' ');
  return raw.replaceAll(/%([0-9A-Fa-f]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function percent(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
