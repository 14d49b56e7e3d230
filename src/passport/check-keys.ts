import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/index.ts';
import { PEPPER_FILE, Pepper } from './pepper.ts';
import { SIGNING_FILE, SigningKeys } from './signing-keys.ts';

/**
 * Reads the issuer's key files without making any; the names of those that are missing. Throws KeyFileError for
 * one that is damaged or readable by others.
 */
export async function checkPassportKeys(keysDirectory: string, clock: Clock): Promise<readonly string[]> {
  const missing = [SIGNING_FILE, PEPPER_FILE].filter((name) => !existsSync(join(keysDirectory, name)));
  if (!missing.includes(SIGNING_FILE)) await SigningKeys.open(keysDirectory, clock);
  if (!missing.includes(PEPPER_FILE)) await Pepper.open(keysDirectory);
  return missing;
}
