/** Ways to write a secret, as an upstream might echo it; the names are those of secrets-leak.json. */

const bytesOf = (text: string) => Buffer.from(text, 'utf8');
const characters = (text: string) => Array.from(text);
const units = (text: string) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
const hexByte = (byte: number) => byte.toString(16).padStart(2, '0');

export const hex = (text: string) => bytesOf(text).toString('hex');

/** The first half in upper case, the second in lower. */
export function hexMixed(text: string): string {
  const digits = hex(text);
  const middle = digits.length >> 1;
  return digits.slice(0, middle).toUpperCase() + digits.slice(middle);
}

export const cEscapes = (text: string) => [...bytesOf(text)].map((byte) => `\\x${hexByte(byte)}`).join('');

export const percentAll = (text: string) => [...bytesOf(text)].map((byte) => `%${hexByte(byte)}`).join('');

/** RFC 3986: everything but unreserved characters. */
export function percentStrict(text: string): string {
  return [...bytesOf(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${hexByte(byte).toUpperCase()}`;
    })
    .join('');
}

export const percentStrictLower = (text: string) =>
  percentStrict(text).replaceAll(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());

export const percentForm = (text: string) => percentStrict(text).replaceAll('%20', '+');

export const jsonMin = (text: string) => JSON.stringify(text).slice(1, -1);

export const jsonAscii = (text: string) =>
  jsonMin(text)
    .replaceAll('/', '\\/')
    .replaceAll(/[^\u0020-\u007e]/g, (character) => unicodeEscape(character.charCodeAt(0)));

const unicodeEscape = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;

export const jsonUnicode = (text: string) => units(text).map(unicodeEscape).join('');

export const jsonUnicodeUpper = (text: string) =>
  units(text)
    .map((unit) => `\\u${unit.toString(16).toUpperCase().padStart(4, '0')}`)
    .join('');

/** JSON text with non-ASCII escaped, as a string inside JSON. */
export function jsonInJson(text: string): string {
  const inner = jsonMin(text).replaceAll(/[^\u0020-\u007e]/g, (character) =>
    unicodeEscape(character.charCodeAt(0)),
  );
  return jsonMin(inner);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export const htmlMin = (text: string) =>
  text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

export const htmlDecimal = (text: string) =>
  characters(text)
    .map((character) => `&#${character.codePointAt(0)};`)
    .join('');

export const htmlHex = (text: string) =>
  characters(text)
    .map((character) => `&#x${character.codePointAt(0)?.toString(16)};`)
    .join('');

export const htmlHexUpper = (text: string) => htmlHex(text).toUpperCase();

export const utf16le = (text: string) => Buffer.from(text, 'utf16le');

export const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();

/** Only `=` and what is not printable ASCII; line ends stay as they are. */
export const quotedPrintable = (text: string) =>
  [...bytesOf(text)]
    .map((byte) =>
      (byte >= 0x20 && byte <= 0x7e && byte !== 0x3d) || byte === 0x0a
        ? String.fromCharCode(byte)
        : `=${hexByte(byte).toUpperCase()}`,
    )
    .join('');

export const quotedPrintableAll = (text: string) =>
  [...bytesOf(text)].map((byte) => `=${hexByte(byte).toUpperCase()}`).join('');

export const base64 = (text: string) => bytesOf(text).toString('base64');

/** A zip file with one entry; `deflated`: the coded bytes of the entry, else it is stored. */
export function zipOf(name: string, data: Buffer, crc: number, deflated: Buffer | null): Buffer {
  const stored = deflated ?? data;
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0); // Version needed.
  common.writeUInt16LE(deflated === null ? 0 : 8, 4);
  common.writeUInt32LE(crc, 10);
  common.writeUInt32LE(stored.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), common, Buffer.from(name), stored]);
  const central = Buffer.concat([
    Buffer.from('PK\u0001\u0002\u0014\u0000', 'latin1'),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
