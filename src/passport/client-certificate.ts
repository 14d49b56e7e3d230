import { createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Refusal } from '../core/index.ts';
import type { AgentCertificate } from './store.ts';

const PEM_CHARS = 16 * 1024;
const SUBJECT_CHARS = 200;

/** The certificate that a client showed in the TLS handshake, and so proved to have the key of. */
export interface ClientCertificate {
  /** base64url SHA-256 of its DER (RFC 8705 section 3.1). */
  readonly x5t: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * What the client at the other end of this connection showed; null where it showed none, or where we do not speak TLS
 * ourselves: what a proxy says about a certificate in a header is never believed.
 */
export function clientCertificate(socket: Socket): ClientCertificate | null {
  if (!(socket instanceof TLSSocket)) return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : describe(certificate);
}

/** Reads a certificate that an administrator registers. Throws Refusal('input_invalid'). */
export function readCertificate(pem: string): AgentCertificate {
  try {
    if (pem.length > PEM_CHARS) throw new Error('it is too long');
    const certificate = new X509Certificate(pem);
    const { x5t, notAfter } = describe(certificate);
    const subject = certificate.subject.replace(/\p{Cc}+/gu, ', ').slice(0, SUBJECT_CHARS);
    return { x5t, subject, expiresAt: notAfter };
  } catch (cause) {
    throw new Refusal('input_invalid', { detail: 'certificates: not a certificate in PEM form', cause });
  }
}

function describe(certificate: X509Certificate): ClientCertificate {
  return {
    x5t: createHash('sha256').update(certificate.raw).digest('base64url'),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
  };
}
