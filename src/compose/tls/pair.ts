import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { readKeyFile } from '../../files/index.ts';

/** Where the certificate of a listener and its key stand. */
export interface PairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate with its chain, and the key that belongs to it, as they were read and checked together. */
export interface TlsPair {
  readonly chainPem: string;
  readonly keyPem: string;
  readonly leaf: X509Certificate;
  /** Hex SHA-256 of the certificate. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A certificate or key file that can't be used as it stands; the message names it and says what to do. */
export class TlsPairError extends Error {
  constructor(file: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(`${file} ${what}`, options);
    this.name = 'TlsPairError';
  }
}

/** More than any chain has. */
const MAX_CHAIN_BYTES = 256 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads certificate and key and checks that clients could use them: they belong together, each certificate was
 * signed by the one behind it, and the first is valid now. Throws TlsPairError or KeyFileError.
 */
export async function loadPair(files: PairFiles, now: number): Promise<TlsPair> {
  const chain = readChain(files.certificate, await readChainFile(files.certificate));
  const [leaf] = chain;
  const key = readKey(files.key, await readKeyPem(files.key));
  if (!leaf.checkPrivateKey(key)) {
    throw new TlsPairError(
      files.key,
      `does not belong to the certificate in ${files.certificate}; put both of one pair there`,
    );
  }
  checkOrder(files.certificate, chain);
  checkTime(files.certificate, leaf, now);
  const pair = {
    chainPem: chain.map((one) => one.toString()).join(''),
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  try {
    // What OpenSSL itself turns down: keys that are too short, hashes that are too weak.
    createSecureContext({ cert: pair.chainPem, key: pair.keyPem });
  } catch (cause) {
    throw new TlsPairError(files.certificate, `is not accepted (${messageOf(cause)})`, { cause });
  }
  return {
    ...pair,
    leaf,
    fingerprint: createHash('sha256').update(leaf.raw).digest('hex'),
    expiresAt: Date.parse(leaf.validTo),
  };
}

async function readChainFile(path: string): Promise<string> {
  // A pipe in its place must not keep us waiting.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new TlsPairError(path, `can not be read (${messageOf(cause)})`, { cause });
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new TlsPairError(path, 'is not a plain file; name a file of PEM certificates');
    if (found.size > MAX_CHAIN_BYTES) throw new TlsPairError(path, 'is too large for a certificate chain');
    return await file.readFile('latin1');
  } finally {
    await file.close();
  }
}

function readChain(path: string, text: string): readonly [X509Certificate, ...X509Certificate[]] {
  try {
    const [leaf, ...rest] = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (leaf !== undefined) return [leaf, ...rest];
  } catch (cause) {
    throw new TlsPairError(path, `holds a certificate that can not be read (${messageOf(cause)})`, { cause });
  }
  throw new TlsPairError(path, 'holds no certificate; it must be PEM, the own certificate first');
}

/** The same care as for other keys. A link is followed here: certificate managers swap pairs by links. */
async function readKeyPem(path: string): Promise<string> {
  const place = await realpath(path).catch((cause: unknown) => {
    throw new TlsPairError(path, `can not be read (${messageOf(cause)})`, { cause });
  });
  const bytes = await readKeyFile(place);
  if (bytes === null) throw new TlsPairError(path, 'is missing');
  return bytes.toString('latin1');
}

function readKey(path: string, pem: string): KeyObject {
  if (pem.includes('ENCRYPTED')) {
    throw new TlsPairError(
      path,
      `is encrypted, and nobody is asked for its passphrase; decrypt it: (umask 077; openssl pkey -in ${path} -out FILE)`,
    );
  }
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    // OpenSSL's own words never hold what it read, but they tell a person little.
    throw new TlsPairError(path, 'holds no private key that can be read; it must be PEM', { cause });
  }
}

/** Clients need the chain in order (RFC 5246 section 7.4.2); one that is not fails at some of them alone. */
function checkOrder(path: string, chain: readonly X509Certificate[]): void {
  chain.forEach((certificate, at) => {
    const signer = chain[at + 1];
    if (signer === undefined || (certificate.checkIssued(signer) && certificate.verify(signer.publicKey)))
      return;
    throw new TlsPairError(
      path,
      `is not in order: certificate ${at + 1} was not signed by the one behind it; put the own certificate first, then each signer`,
    );
  });
}

function checkTime(path: string, leaf: X509Certificate, now: number): void {
  if (now > Date.parse(leaf.validTo)) throw new TlsPairError(path, `expired at ${leaf.validTo}; renew it`);
  if (now < Date.parse(leaf.validFrom)) {
    throw new TlsPairError(path, `is valid from ${leaf.validFrom} on; check the clock of this machine`);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
