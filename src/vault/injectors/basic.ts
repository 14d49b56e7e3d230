import { type Injector, withHeader } from './injector.ts';

/** `Authorization: Basic base64(username:secret)` (RFC 7617). */
export const basic: Injector<{ readonly kind: 'basic'; readonly username: string }> = {
  faultOf({ username }) {
    if (username.length > 255) return 'the username of basic is longer than 255 characters';
    if (username.includes(':')) return 'the username of basic holds a colon (RFC 7617 section 2)';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    if (/[\u0000-\u001f\u007f]/.test(username)) return 'the username of basic holds control characters';
    return null;
  },
  faultOfSecret(secret) {
    return secret.some((byte) => byte < 0x20 || byte === 0x7f)
      ? 'the secret holds control characters (a line end at its end, perhaps), and basic can not carry them'
      : null;
  },
  inject: (spec, secret, draft) =>
    withHeader(draft, 'authorization', `Basic ${token(spec.username, secret).toString('latin1')}`),
  derived: (spec, secret) => [token(spec.username, secret)],
};

function token(username: string, secret: Uint8Array): Buffer {
  const pair = Buffer.concat([Buffer.from(`${username}:`, 'utf8'), secret]);
  const encoded = Buffer.from(pair.toString('base64'), 'latin1');
  pair.fill(0);
  return encoded;
}
