import { createPrivateKey } from 'node:crypto';
import { resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import { SecretBytes } from '../core/index.ts';
import { KeyFileError, readKeyFile } from '../files/index.ts';
import type { UpstreamSettings } from '../people/index.ts';

/** The providers of the settings, with what the gate authenticates to them with. Throws KeyFileError. */
export function upstreamSettings({ people, paths }: Config): Promise<UpstreamSettings[]> {
  return Promise.all(
    people.providers.map(async ({ clientSecretFile, clientKeyFile, clientKeyId, claims, ...rest }) => ({
      ...rest,
      claims: JSON.parse(JSON.stringify(claims)),
      credential: await readCredential(paths.home, clientSecretFile, clientKeyFile, clientKeyId),
    })),
  );
}

async function readCredential(
  home: string,
  secretFile: string | null,
  keyFile: string | null,
  kid: string | null,
): Promise<UpstreamSettings['credential']> {
  const path = resolve(home, secretFile ?? keyFile ?? '');
  const bytes = await readKeyFile(path);
  if (bytes === null)
    throw new KeyFileError(path, 'is missing; put the credential of people.providers there');
  const text = bytes.toString('utf8').trim();
  if (secretFile !== null) return { kind: 'secret', secret: SecretBytes.fromUtf8(text) };
  return { kind: 'key', key: createPrivateKey(text), kid };
}
