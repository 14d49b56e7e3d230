import { randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { DecoyRecord } from '../store.ts';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Forms of decoy credentials: each passes for the real thing wherever its form is checked, and opens nothing. */
const CREDENTIAL_FORMS: Readonly<Record<string, () => string>> = {
  github: () => withChecksum('ghp_', pick(ALPHANUMERIC, 30)),
  npm: () => withChecksum('npm_', pick(ALPHANUMERIC, 30)),
  gitlab: () => `glpat-${pick(ALPHANUMERIC, 20)}`,
  aws: () => `AKIA${pick(UPPER, 16)}`,
  stripe: () => `sk_live_${pick(ALPHANUMERIC, 24)}`,
  anthropic: () => `sk-ant-api03-${pick(ALPHANUMERIC, 93)}AA`,
  openai: () => `sk-proj-${pick(ALPHANUMERIC, 48)}`,
  slack: () => `xoxb-${randomInt(1e11, 9e11)}-${randomInt(1e11, 9e11)}-${pick(ALPHANUMERIC, 24)}`,
  token: () => randomBytes(24).toString('base64url'),
};

/**
 * A value for a new decoy. A credential takes the form that its name speaks of (`github-admin` looks like a GitHub
 * token); hosts end in `.invalid`, which never resolves (RFC 6761).
 */
export function makeDecoyValue(kind: DecoyRecord['kind'], name: string): string {
  const tag = randomBytes(5).toString('hex');
  switch (kind) {
    case 'credential': {
      const form = Object.keys(CREDENTIAL_FORMS).find((one) => name.toLowerCase().includes(one)) ?? 'token';
      return (CREDENTIAL_FORMS[form] ?? CREDENTIAL_FORMS.token)?.() ?? tag;
    }
    case 'value':
      return `${slug(name)}.${tag}@mail.invalid`;
    case 'host':
      return `${slug(name)}-${tag}.invalid`;
  }
}

function slug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 32) || 'decoy'
  );
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** GitHub's and npm's tokens end in six base62 digits of the CRC-32 of what stands before them. */
function withChecksum(prefix: string, random: string): string {
  let rest = crc32(random);
  let digits = '';
  for (let index = 0; index < 6; index++) {
    digits = `${BASE62[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return `${prefix}${random}${digits}`;
}

function pick(alphabet: string, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += alphabet[randomInt(alphabet.length)];
  return text;
}
