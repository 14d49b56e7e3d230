import { createHash, randomBytes } from 'node:crypto';
import { type Echo, PROMISED } from '../../test/support/leak-cases.ts';

/** A spelling of the secret that any channel can carry. */
export interface Spelling {
  readonly id: string;
  /** The text around the secret included. */
  readonly bytes: Buffer;
  /** What of it must not arrive. */
  readonly core: Buffer;
}

/** The promised forms that are no more than another spelling; the rest are ways of sending, and go as they are. */
export function spellingsOf(secret: string): readonly Spelling[] {
  return Object.entries(PROMISED).flatMap(([id, build]) => {
    const built = build(secret, 'fake-next-secret');
    const [echo, ...more] = Array.isArray(built) ? (built as readonly Echo[]) : [built as Echo];
    if (echo === undefined || more.length > 0 || !isSpelling(echo)) return [];
    const [bytes = Buffer.alloc(0)] = echo.chunks;
    const [core = Buffer.alloc(0)] = echo.forbidden;
    return [{ id, bytes, core }];
  });
}

function isSpelling({ chunks, headers, trailers, interim, injected, forbidden, status }: Echo): boolean {
  const coded = headers.some(([name]) => name === 'content-encoding');
  const whole = forbidden.length === 1 && chunks[0]?.includes(forbidden[0] ?? '') === true;
  return (
    chunks.length === 1 &&
    whole &&
    !coded &&
    trailers.length === 0 &&
    interim === null &&
    injected.length === 1 &&
    status === 200
  );
}

/** Names this list of forms: the page in docs/limits.md says of which list it tells. */
export function formListDigest(): string {
  return createHash('sha256').update(Object.keys(PROMISED).join('\n')).digest('hex').slice(0, 16);
}

/** Fake secrets of the kinds that services give out, made at run time. */
export function madeUpSecrets(): readonly string[] {
  const letters = (bytes: number) => randomBytes(bytes).toString('base64url');
  return [
    `fake_${letters(27)}`,
    `fake/${randomBytes(30).toString('base64')}`,
    `fake "p&ss'<w>\\rd/%+ ${letters(9)}~`,
    `fäke-${letters(12)}-ünïcode`,
  ];
}
