import { randomBytes, randomInt } from 'node:crypto';
import type { DecoyRecord } from './store.ts';

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Forms of decoy credentials: each looks like the real thing and opens nothing. */
const CREDENTIAL_FORMS: Readonly<Record<string, () => string>> = {
  github: () => `ghp_${pick(ALPHANUMERIC, 36)}`,
  aws: () => `AKIA${pick(UPPER, 16)}`,
  stripe: () => `sk_live_${pick(ALPHANUMERIC, 24)}`,
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

function pick(alphabet: string, length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += alphabet[randomInt(alphabet.length)];
  return text;
}
