import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** What a page asks a browser for; the members that matter to an authenticator. */
export interface Asked {
  readonly challenge: string;
  readonly rp?: { readonly id: string };
  readonly rpId?: string;
  readonly user?: { readonly id: string };
}

/** What goes wrong, or is wrong on purpose. */
export interface Twist {
  readonly origin?: string;
  readonly rpId?: string;
  readonly userVerified?: boolean;
  readonly userHandle?: string;
  readonly counter?: number;
  readonly type?: string;
  readonly challenge?: string;
  readonly crossOrigin?: boolean;
}

const PRESENT = 0x01;
const VERIFIED = 0x04;
const ATTESTED = 0x40;

/** An authenticator in software: one passkey (ES256) for one user, as a browser would tell it (WebAuthn Level 3). */
export class TestAuthenticator {
  readonly id = randomBytes(32);
  readonly #key: KeyObject;
  readonly #public: { readonly x: Buffer; readonly y: Buffer };
  readonly #origin: string;
  #userHandle: string | null = null;
  counter = 0;

  constructor(origin: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.#key = privateKey;
    this.#public = { x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') };
    this.#origin = origin;
  }

  /** The JSON that a form brings along after `navigator.credentials.create`. */
  create(asked: Asked, twist: Twist = {}, format = 'none'): string {
    this.#userHandle = asked.user?.id ?? null;
    const idLength = Buffer.alloc(2);
    idLength.writeUInt16BE(this.id.length);
    const attested = Buffer.concat([Buffer.alloc(16), idLength, this.id, this.#coseKey()]);
    const data = Buffer.concat([this.#head(asked.rp?.id, ATTESTED, twist), attested]);
    const statement = format === 'none' ? map([]) : map([[text('x5c'), array([bytes(Buffer.from('cert'))])]]);
    const attestation = map([
      [text('fmt'), text(format)],
      [text('attStmt'), statement],
      [text('authData'), bytes(data)],
    ]);
    return this.#answer({
      clientDataJSON: clientData('webauthn.create', asked, { origin: this.#origin, ...twist }),
      attestationObject: attestation.toString('base64url'),
      transports: ['internal'],
    });
  }

  /** The JSON that a form brings along after `navigator.credentials.get`. */
  get(asked: Asked, twist: Twist = {}): string {
    this.counter = twist.counter ?? this.counter + 1;
    const data = this.#head(asked.rpId, 0, twist);
    const client = clientData('webauthn.get', asked, { origin: this.#origin, ...twist });
    const signed = Buffer.concat([
      data,
      createHash('sha256').update(Buffer.from(client, 'base64url')).digest(),
    ]);
    return this.#answer({
      clientDataJSON: client,
      authenticatorData: data.toString('base64url'),
      signature: sign('sha256', signed, this.#key).toString('base64url'),
      userHandle: twist.userHandle ?? this.#userHandle,
    });
  }

  #answer(response: object): string {
    const id = this.id.toString('base64url');
    return JSON.stringify({ id, rawId: id, type: 'public-key', response });
  }

  #head(rpId: string | undefined, flags: number, { rpId: other, userVerified = true }: Twist): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    const all = flags | PRESENT | (userVerified ? VERIFIED : 0);
    const hash = createHash('sha256')
      .update(other ?? rpId ?? '')
      .digest();
    return Buffer.concat([hash, Buffer.of(all), counter]);
  }

  #coseKey(): Buffer {
    return map([
      [integer(1), integer(2)],
      [integer(3), integer(-7)],
      [integer(-1), integer(1)],
      [integer(-2), bytes(this.#public.x)],
      [integer(-3), bytes(this.#public.y)],
    ]);
  }
}

function clientData(type: string, asked: Asked, twist: Twist & { readonly origin: string }): string {
  const { origin, challenge = asked.challenge, crossOrigin = false } = twist;
  const told = { type: twist.type ?? type, challenge, origin, crossOrigin };
  return Buffer.from(JSON.stringify(told)).toString('base64url');
}

/** CBOR (RFC 8949), as much of it as passkeys need. */
function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.of((major << 5) | length);
  if (length < 256) return Buffer.of((major << 5) | 24, length);
  return Buffer.of((major << 5) | 25, length >> 8, length & 0xff);
}

const integer = (value: number): Buffer => (value >= 0 ? head(0, value) : head(1, -1 - value));
const bytes = (value: Buffer): Buffer => Buffer.concat([head(2, value.length), value]);
const text = (value: string): Buffer =>
  Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
const array = (values: readonly Buffer[]): Buffer => Buffer.concat([head(4, values.length), ...values]);
const map = (entries: readonly (readonly [Buffer, Buffer])[]): Buffer =>
  Buffer.concat([head(5, entries.length), ...entries.flat()]);
