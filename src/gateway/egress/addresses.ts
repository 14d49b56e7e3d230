import { isIP } from 'node:net';

/** What an address is, to the egress guard. `metadata` and `invalid` are refused whatever a service allows. */
export type AddressClass = 'public' | 'private' | 'metadata' | 'invalid';

interface Range {
  readonly bits: bigint;
  readonly mask: bigint;
  readonly kind: AddressClass;
}

const ALL = (1n << 128n) - 1n;

/**
 * IANA's special-purpose registries (RFC 6890 and updates), multicast, and the addresses where clouds serve
 * credentials. First match wins. `invalid`: no host can be there, or the address hides another one
 * (translation and tunnel prefixes), so that no permission for private ranges covers it.
 */
const IPV4: readonly Range[] = [
  // Cloud metadata: AWS, GCP, Azure and others; ECS tasks; Azure's wire server; Alibaba; Oracle's.
  v4('169.254.169.254/32', 'metadata'),
  v4('169.254.170.2/32', 'metadata'),
  v4('169.254.170.23/32', 'metadata'),
  v4('168.63.129.16/32', 'metadata'),
  v4('100.100.100.200/32', 'metadata'),
  v4('192.0.0.192/32', 'metadata'),
  v4('0.0.0.0/8', 'invalid'),
  v4('10.0.0.0/8', 'private'),
  v4('100.64.0.0/10', 'private'),
  v4('127.0.0.0/8', 'private'),
  v4('169.254.0.0/16', 'private'),
  v4('172.16.0.0/12', 'private'),
  v4('192.0.0.0/24', 'invalid'),
  v4('192.0.2.0/24', 'invalid'),
  v4('192.31.196.0/24', 'invalid'),
  v4('192.52.193.0/24', 'invalid'),
  v4('192.88.99.0/24', 'invalid'),
  v4('192.168.0.0/16', 'private'),
  v4('192.175.48.0/24', 'invalid'),
  v4('198.18.0.0/15', 'invalid'),
  v4('198.51.100.0/24', 'invalid'),
  v4('203.0.113.0/24', 'invalid'),
  v4('224.0.0.0/4', 'invalid'),
  v4('240.0.0.0/4', 'invalid'),
];

const IPV6: readonly Range[] = [
  // Metadata on IPv6: AWS, GCP, ECS/EKS pod identity.
  v6('fd00:ec2::254/128', 'metadata'),
  v6('fd00:ec2::23/128', 'metadata'),
  v6('fd20:ce::254/128', 'metadata'),
  v6('::1/128', 'private'),
  // Unspecified, IPv4-compatible, IPv4-mapped (unwrapped before), IPv4-translated, NAT64, discard.
  v6('::/8', 'invalid'),
  v6('64:ff9b::/96', 'invalid'),
  v6('64:ff9b:1::/48', 'invalid'),
  v6('100::/64', 'invalid'),
  v6('100:0:0:1::/64', 'invalid'),
  // IETF protocol assignments: Teredo, benchmarking, ORCHID, ...; all of 2001::/23.
  v6('2001::/23', 'invalid'),
  v6('2001:db8::/32', 'invalid'),
  v6('2002::/16', 'invalid'),
  v6('2620:4f:8000::/48', 'invalid'),
  v6('3fff::/20', 'invalid'),
  v6('5f00::/16', 'invalid'),
  v6('fc00::/7', 'private'),
  v6('fe80::/10', 'private'),
  v6('fec0::/10', 'invalid'),
  v6('ff00::/8', 'invalid'),
];

const GLOBAL_UNICAST = v6('2000::/3', 'public');
const MAPPED = v6('::ffff:0:0/96', 'invalid');

const MAX_KNOWN = 1024;
const known = new Map<string, AddressClass>();

/** The class of one resolved address in text form. An IPv4-mapped address is what it maps to. */
export function classifyAddress(address: string): AddressClass {
  const before = known.get(address);
  if (before !== undefined) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const kind = classify(address);
  known.set(address, kind);
  return kind;
}

function classify(address: string): AddressClass {
  switch (isIP(address)) {
    case 4:
      return classOf(v4Bits(address), IPV4) ?? 'public';
    case 6: {
      if (address.includes('%')) return 'invalid';
      const bits = v6Bits(address);
      if ((bits & MAPPED.mask) === MAPPED.bits) return classOf(bits & 0xffff_ffffn, IPV4) ?? 'public';
      return (
        classOf(bits, IPV6) ?? ((bits & GLOBAL_UNICAST.mask) === GLOBAL_UNICAST.bits ? 'public' : 'invalid')
      );
    }
    default:
      return 'invalid';
  }
}

/** True for addresses of this very machine: loopback and unspecified, however they are written. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return /^(127|0)\./.test(address);
  if (isIP(address) !== 6 || address.includes('%')) return false;
  const bits = v6Bits(address);
  if ((bits & MAPPED.mask) !== MAPPED.bits) return bits <= 1n;
  const first = (bits >> 24n) & 0xffn;
  return first === 127n || first === 0n;
}

function classOf(bits: bigint, ranges: readonly Range[]): AddressClass | null {
  for (const range of ranges) if ((bits & range.mask) === range.bits) return range.kind;
  return null;
}

function v4(text: string, kind: AddressClass): Range {
  const [address = '', length = '32'] = text.split('/');
  const mask = (0xffff_ffffn << BigInt(32 - Number(length))) & 0xffff_ffffn;
  return { bits: v4Bits(address) & mask, mask, kind };
}

function v6(text: string, kind: AddressClass): Range {
  const [address = '', length = '128'] = text.split('/');
  const mask = (ALL << BigInt(128 - Number(length))) & ALL;
  return { bits: v6Bits(address) & mask, mask, kind };
}

function v4Bits(address: string): bigint {
  return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
}

/** `address` is known to be IPv6 text (RFC 4291 section 2.2), perhaps with a dotted tail. */
function v6Bits(address: string): bigint {
  const tail = address.slice(address.lastIndexOf(':') + 1);
  const text = tail.includes('.')
    ? `${address.slice(0, -tail.length)}${(v4Bits(tail) >> 16n).toString(16)}:${(v4Bits(tail) & 0xffffn).toString(16)}`
    : address;
  const [head = '', rest] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = Array.from({ length: rest === undefined ? 0 : 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
