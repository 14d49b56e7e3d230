import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { NAME_CONSTRAINTS_OID, nameConstraints } from './name-constraints.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** Clocks of clients differ. */
const BACKDATE_MS = 5 * 60_000;
/** Leaves live short: a leaf key that leaks is soon worth nothing. */
const LEAF_LIFETIME_MS = 24 * 60 * 60_000;

type KeyPair = webcrypto.CryptoKeyPair;

/** One key for all leaves: making one for each host would cost the first call to it. */
export async function makeLeafKey(): Promise<LeafKey> {
  const keys = await makeKeys(true);
  return { keys, pem: await exportKey(keys.privateKey) };
}

export interface LeafKey {
  readonly keys: KeyPair;
  readonly pem: string;
}

export interface Leaf {
  /** Leaf certificate, then the authority's. */
  readonly chainPem: string;
  readonly expiresAt: number;
}

/** A certificate authority that can name `hosts` and nothing else; clients that trust it lose no more than that. */
export class CertificateAuthority {
  readonly certificatePem: string;
  readonly hosts: ReadonlySet<string>;
  readonly expiresAt: number;
  readonly #certificate: x509.X509Certificate;
  readonly #signingKey: webcrypto.CryptoKey;

  /** `keys`: those that it had before; default: fresh ones. Fresh ones alone can be exported. */
  static async make(o: {
    readonly keys?: webcrypto.CryptoKeyPair;
    readonly name: string;
    readonly hosts: readonly string[];
    readonly lifetimeMs: number;
    readonly now: number;
  }): Promise<{ readonly authority: CertificateAuthority; readonly exportKey: () => Promise<Uint8Array> }> {
    const keys = o.keys ?? (await makeKeys(true));
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${o.name}, O=Sallyport`,
      keys: keys as CryptoKeyPair,
      signingAlgorithm: ALGORITHM,
      serialNumber: randomSerial(),
      notBefore: new Date(o.now - BACKDATE_MS),
      notAfter: new Date(o.now + o.lifetimeMs),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.Extension(NAME_CONSTRAINTS_OID, true, Uint8Array.from(nameConstraints(o.hosts))),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as CryptoKey),
      ],
    });
    return {
      authority: new CertificateAuthority(certificate, keys.privateKey, o.hosts),
      exportKey: async () => new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
    };
  }

  /** Throws when certificate and key do not read. */
  static async restore(o: {
    readonly certificatePem: string;
    readonly pkcs8: Uint8Array;
    readonly hosts: readonly string[];
  }): Promise<CertificateAuthority> {
    const key = await webcrypto.subtle.importKey('pkcs8', Uint8Array.from(o.pkcs8), ALGORITHM, false, [
      'sign',
    ]);
    return new CertificateAuthority(new x509.X509Certificate(o.certificatePem), key, o.hosts);
  }

  private constructor(
    certificate: x509.X509Certificate,
    signingKey: webcrypto.CryptoKey,
    hosts: readonly string[],
  ) {
    this.#certificate = certificate;
    this.#signingKey = signingKey;
    this.certificatePem = certificate.toString('pem');
    this.hosts = new Set(hosts);
    this.expiresAt = certificate.notAfter.getTime();
  }

  async issueLeaf(host: string, key: LeafKey, now: number): Promise<Leaf> {
    if (!this.hosts.has(host)) throw new TypeError(`this authority may not name ${host}`);
    const expiresAt = Math.min(now + LEAF_LIFETIME_MS, this.expiresAt);
    const leaf = await x509.X509CertificateGenerator.create({
      subject: 'O=Sallyport',
      issuer: this.#certificate.subject,
      publicKey: key.keys.publicKey as CryptoKey,
      signingKey: this.#signingKey as CryptoKey,
      signingAlgorithm: ALGORITHM,
      serialNumber: randomSerial(),
      notBefore: new Date(now - BACKDATE_MS),
      notAfter: new Date(expiresAt),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        // The subject names no host, so the alternative name has to be critical (RFC 5280 section 4.2.1.6).
        new x509.SubjectAlternativeNameExtension([{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }]),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ],
    });
    return { chainPem: `${leaf.toString('pem')}\n${this.certificatePem}\n`, expiresAt };
  }
}

function makeKeys(extractable: boolean): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, extractable, ['sign', 'verify']) as Promise<KeyPair>;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/(.{64})/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

/** 127 bits, positive (RFC 5280 section 4.1.2.2). */
function randomSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
