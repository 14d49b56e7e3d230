import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, fault, ok, skipped, warning } from '../finding.ts';
import type { Patient } from '../patient.ts';

const SOON_MS = 9 * 24 * 60 * 60 * 1000;

/** The standing certificate authority that clients trust (`sallyport ca export`). */
export function checkAuthority({ config, now }: Pick<Patient, 'config' | 'now'>): Found[] {
  const file = join(config.paths.keys, 'gateway-ca.json');
  if (!existsSync(file)) return [skipped('No standing certificate authority was asked for yet.')];
  const certificate = read(file);
  if (certificate === null) {
    return [
      fault(
        `${file} does not hold a certificate authority; it was cut off or edited.`,
        'Restore it from a backup, or remove it: a new one is made, and clients need its certificate (sallyport ca export).',
      ),
    ];
  }
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const remedy = 'A new one is made when it is next used; give clients its certificate: sallyport ca export';
  if (until <= now) return [warning(`The certificate authority ended at ${certificate.validTo}.`, remedy)];
  if (from > now)
    return [
      fault(
        `The certificate authority begins at ${certificate.validFrom}: is the clock right?`,
        'Set the clock, or remove the file.',
      ),
    ];
  if (until - now < SOON_MS)
    return [warning(`The certificate authority ends at ${certificate.validTo}.`, remedy)];
  return [ok(`The certificate authority is valid until ${certificate.validTo}.`)];
}

function read(file: string): X509Certificate | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null || !('certificatePem' in value)) return null;
    return typeof value.certificatePem === 'string' ? new X509Certificate(value.certificatePem) : null;
  } catch {
    return null;
  }
}
