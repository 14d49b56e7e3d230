import { isIP } from 'node:net';

export const NAME_CONSTRAINTS_OID = '2.5.29.30';

/**
 * The DER value of NameConstraints (RFC 5280 section 4.2.1.10): only these hosts. A name type without a
 * permitted subtree is unconstrained, so the types that have none are excluded whole.
 */
export function nameConstraints(hosts: readonly string[]): Uint8Array {
  const names = hosts.filter((host) => isIP(host) === 0);
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  const permitted = [...names.map(dnsSubtree), ...addresses.map(addressSubtree)];
  const excluded = [
    ...(names.length === 0 ? [subtree(DNS, new Uint8Array())] : []),
    ...(addresses.some((host) => isIP(host) === 4) ? [] : [subtree(ADDRESS, new Uint8Array(8))]),
    ...(addresses.some((host) => isIP(host) === 6) ? [] : [subtree(ADDRESS, new Uint8Array(32))]),
  ];
  return der(SEQUENCE, [
    ...(permitted.length === 0 ? [] : [der(PERMITTED, permitted)]),
    ...(excluded.length === 0 ? [] : [der(EXCLUDED, excluded)]),
  ]);
}

const SEQUENCE = 0x30;
const PERMITTED = 0xa0;
const EXCLUDED = 0xa1;
/** GeneralName: dNSName [2] IA5String, iPAddress [7] OCTET STRING. */
const DNS = 0x82;
const ADDRESS = 0x87;

function dnsSubtree(host: string): Uint8Array {
  return subtree(DNS, Buffer.from(host, 'latin1'));
}

/** Address and mask of all ones: this address alone. */
function addressSubtree(host: string): Uint8Array {
  const address = addressBytes(host);
  return subtree(ADDRESS, Buffer.concat([address, Buffer.alloc(address.length, 0xff)]));
}

function addressBytes(host: string): Uint8Array {
  if (isIP(host) === 4) return Uint8Array.from(host.split('.').map(Number));
  const [head = '', tail] = host.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}

function subtree(tag: number, value: Uint8Array): Uint8Array {
  return der(SEQUENCE, [der(tag, [value])]);
}

function der(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : length < 0x10000
          ? [0x82, length >> 8, length & 255]
          : [0x83, length >> 16, (length >> 8) & 255, length & 255];
  return Buffer.concat([Uint8Array.from([tag, ...size]), value]);
}
