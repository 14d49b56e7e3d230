import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { LIMITS, type Origin, Refusal, type SecretBytes } from '../core/index.ts';
import { injectorOf } from './injectors/index.ts';
import { selfOverlaps } from './repetition.ts';
import type { CredentialBinding } from './store.ts';

const MAX_DESTINATIONS = 32;
const MAX_SELF_OVERLAPS = 64;
const MAX_CA_CHARS = 64 * 1024;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/**
 * Checks what an administrator wants to store, all faults at once. Throws `Refusal('input_invalid')` with
 * `errors`; nothing of the secret is quoted.
 */
export function checkCredential(o: {
  readonly name: string;
  readonly secret: SecretBytes;
  readonly binding: CredentialBinding;
}): void {
  const faults = [
    NAME.test(o.name)
      ? null
      : 'name: 1 to 63 of a-z, 0-9, dot, dash and underscore; begins with a letter or digit',
    ...bindingFaults(o.binding),
    ...secretFaults(o.secret, o.binding),
  ].filter((fault) => fault !== null);
  if (faults.length === 0) return;
  throw new Refusal('input_invalid', {
    detail: `The credential can not be stored: ${faults.join('; ')}.`,
    extra: { errors: faults },
  });
}

/** What is wrong with a secret for this binding. */
export function secretFaults(secret: SecretBytes, binding: CredentialBinding): string[] {
  if (secret.length < LIMITS.secretMinBytes) {
    return [
      `secret: has ${secret.length} bytes; under ${LIMITS.secretMinBytes} it would be found in clean answers by chance`,
    ];
  }
  if (secret.length > LIMITS.secretMaxBytes) {
    return [`secret: has ${secret.length} bytes; ${LIMITS.secretMaxBytes} is the most`];
  }
  const faults: string[] = [];
  // Placeholders are found in rulers and padding, and each beginning that is under way costs the search time.
  if (secret.use(isRepetition)) {
    faults.push('secret: repeats itself again and again; that is a placeholder, not a secret');
  }
  const fault = secret.use((bytes) => injectorOf(binding.injector).faultOfSecret(bytes));
  return fault === null ? faults : [...faults, `secret: ${fault}`];
}

function isRepetition(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === bytes[0]) || selfOverlaps(bytes) > MAX_SELF_OVERLAPS;
}

function bindingFaults(binding: CredentialBinding): (string | null)[] {
  const { destinations } = binding;
  const names = destinations.map(({ scheme, host, port }) => `${scheme} ${host} ${port}`);
  const injector = injectorOf(binding.injector).faultOf();
  return [
    destinations.length === 0 ? 'binding.destinations: at least one is needed' : null,
    destinations.length > MAX_DESTINATIONS ? `binding.destinations: at most ${MAX_DESTINATIONS}` : null,
    new Set(names).size === names.length ? null : 'binding.destinations: one stands there twice',
    ...destinations.map((origin, at) => {
      const fault = originFault(origin, binding.allowPrivate);
      return fault === null ? null : `binding.destinations.${at}: ${fault}`;
    }),
    binding.upstreamCa === null ? null : caFault(binding.upstreamCa),
    injector === null ? null : `binding.injector: ${injector}`,
  ];
}

function originFault(origin: Origin, allowPrivate: boolean): string | null {
  if (!HOST_NAME.test(origin.host) && isIP(origin.host) === 0) {
    return 'host: not a lower-case ASCII host name without a trailing dot, nor an IP address';
  }
  if (!Number.isInteger(origin.port) || origin.port < 1 || origin.port > 65_535)
    return 'port: not 1 to 65535';
  // Over plain HTTP everybody on the way reads the secret; inside a private network the administrator may.
  if (origin.scheme === 'http' && !allowPrivate) return 'scheme: http is for private destinations alone';
  return null;
}

function caFault(pem: string): string | null {
  if (pem.length > MAX_CA_CHARS) return `binding.upstreamCa: longer than ${MAX_CA_CHARS} characters`;
  try {
    new X509Certificate(pem);
    return null;
  } catch {
    return 'binding.upstreamCa: not a certificate in PEM form';
  }
}
