import { isIP } from 'node:net';

/** Names that lead to credentials of the machine that the gate runs on: refused whatever a service allows. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'rancher-metadata',
]);

/** Endings that are never delegated in the public DNS: what they name is inside somebody's network. */
const LOCAL_ENDINGS: readonly string[] = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'home.arpa',
  'consul',
  'svc',
  'cluster.local',
  'kubernetes.default',
  'onion',
  'test',
  'invalid',
];

/** What a host name is, before any look-up: the verdict must not wait for a resolver that an attacker feeds. */
export function classifyName(host: string): 'public' | 'private' | 'metadata' {
  if (isIP(host) !== 0) return 'public';
  if (METADATA_NAMES.has(host)) return 'metadata';
  if (!host.includes('.')) return 'private';
  return LOCAL_ENDINGS.some((ending) => host === ending || host.endsWith(`.${ending}`))
    ? 'private'
    : 'public';
}
