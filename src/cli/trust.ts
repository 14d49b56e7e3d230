import { readFileSync } from 'node:fs';
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  setDefaultCACertificates,
} from 'node:tls';
import { stateFault } from './fault.ts';

/** Whom to believe that it is the control plane, or the gateway: null: whom Node believes. */
export type Trust = SecureContext | null;

/** Trust in a private authority beside the usual ones. Made once: reading all of them takes a while. */
export function trustIn(caFile: string | null): Trust {
  return caFile === null ? null : withCertificates(caFile, (ca) => createSecureContext({ ca: [...ca] }));
}

/** The same trust for `fetch`, which takes no context: for the whole process, so for one that makes one request. */
export function trustInFetch(caFile: string | null): void {
  if (caFile !== null) withCertificates(caFile, setDefaultCACertificates);
}

function withCertificates<T>(caFile: string, use: (ca: readonly string[]) => T): T {
  try {
    return use([...getCACertificates('default'), readCertificates(caFile)]);
  } catch (cause) {
    throw stateFault(
      `${caFile} can not be used as certificates to trust.`,
      'Name a PEM file with --ca-file or in tls.caFile.',
      cause,
    );
  }
}

function readCertificates(file: string): string {
  const text = readFileSync(file, 'latin1');
  // OpenSSL would take a file without any for one that adds nothing.
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new TypeError('there is no certificate in it');
  return text;
}

/** The option of node:https and node:tls. */
export function trustOption(trust: Trust): { readonly secureContext?: SecureContext } {
  return trust === null ? {} : { secureContext: trust };
}
