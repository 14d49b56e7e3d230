import { defineCommand } from '../command.ts';
import { textOf } from '../output.ts';

export const keyRotate = defineCommand({
  name: 'key rotate',
  summary: 'Sign passports with a new key; or with --vault, wrap all credentials with a new key.',
  options: { vault: { type: 'boolean', help: 'The key of the vault in place of the signing key.' } },
  examples: ['sallyport key rotate', 'sallyport key rotate --vault'],
  async run({ client, output, values }) {
    if (values.vault) {
      const rotated = await client.post('/keys/vault/rotate');
      output.result(
        rotated,
        `Wrapped ${textOf(rotated.rewrapped)} credentials with the key ${textOf(rotated.keyId)}.`,
      );
      return undefined;
    }
    const rotated = await client.post('/keys/rotate');
    output.result(rotated, `Passports are signed with the key ${textOf(rotated.kid)} from now on.`);
    return undefined;
  },
});
