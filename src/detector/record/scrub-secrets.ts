import type { JsonValue } from '../../core/index.ts';
import { LIMITS } from '../../core/index.ts';

const PEM = /-----BEGIN [A-Z0-9 ]{1,40}-----[\s\S]{0,8192}?-----END [A-Z0-9 ]{1,40}-----/g;
const AFTER_NAME =
  /((?:password|passwd|secret|token|api[_-]?key|authorization|bearer|credential)["']?\s{0,3}[:= ]\s{0,3}["']?(?:bearer |basic |dpop )?)([^\s"',;&]{6,})/gi;
const RUN = /[A-Za-z0-9+/_=.-]{16,}/g;
const SECRET_PREFIX = /^(?:gh[opsur]_|github_pat_|glpat-|npm_|sk[-_]|rk_|xox[a-z]-|AKIA|ASIA|AIza|eyJ)/;
const HEX = /^[0-9a-fA-F]{32,}$/;

/**
 * A text without what could be a secret: keys, values behind names that speak of secrets, runs in the form of tokens.
 * Account numbers, addresses and paths stay: without them a recording could not be replayed.
 */
export function scrubSecrets(text: string): string {
  return text
    .replace(PEM, '…(key)')
    .replace(AFTER_NAME, (_, name: string, value: string) => `${name}${masked(value)}`)
    .replace(RUN, (run) => (isSecretLike(run) ? masked(run) : run));
}

/** The same for every text of a JSON value; names of members stay. */
export function scrubValue(value: JsonValue, depth = 0): JsonValue {
  if (typeof value === 'string') return scrubSecrets(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= LIMITS.jsonDepth) return null;
  if (Array.isArray(value)) return value.map((one: JsonValue) => scrubValue(one, depth + 1));
  const members = Object.entries(value).map(([name, one]): [string, JsonValue] => [
    name,
    typeof one === 'string' && /^(?:password|passwd|secret|token|api_?key|authorization)$/i.test(name)
      ? masked(one)
      : scrubValue(one, depth + 1),
  ]);
  return Object.fromEntries(members);
}

/** Small and capital letters and digits in one run, or plain hex: what people write is not like that. */
function isSecretLike(run: string): boolean {
  if (SECRET_PREFIX.test(run) || HEX.test(run)) return true;
  return run
    .split(/[/.=-]/)
    .some((part) => part.length >= 20 && /\d/.test(part) && /[a-z]/.test(part) && /[A-Z]/.test(part));
}

function masked(value: string): string {
  return `${value.slice(0, Math.min(4, value.length >> 2))}…(${value.length})`;
}
