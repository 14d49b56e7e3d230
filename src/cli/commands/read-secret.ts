import { readFileSync } from 'node:fs';
import { LIMITS } from '../../core/index.ts';
import type { CommandContext } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';

/** An option by which a secret may come; a value on the command line would stand in the process list. */
export const SECRET_FILE = {
  type: 'string',
  value: 'FILE',
  help: 'Read the secret from this file; default: standard input, or a prompt without echo.',
} as const;

/** The body members that carry a secret. The text is sent as it is where it is UTF-8. */
export async function readSecret(
  { terminal }: Pick<CommandContext<unknown>, 'terminal'>,
  file: string | undefined,
): Promise<{ readonly secret: string } | { readonly secretBase64: string }> {
  const bytes =
    file === undefined ? await terminal.readSecret('Secret: ', LIMITS.secretMaxBytes) : readSecretFile(file);
  try {
    return { secret: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { secretBase64: bytes.toString('base64') };
  }
}

function readSecretFile(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw stateFault(`${file} can not be read.`, 'Check the name after --secret-file.', cause);
  }
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  const secret = bytes.subarray(0, bytes.length - end);
  if (secret.length === 0) throw usageFault(`${file} is empty.`);
  return secret;
}
