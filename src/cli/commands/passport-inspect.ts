import { LIMITS } from '../../core/index.ts';
import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { CliFault, EXIT } from '../fault.ts';
import { PASSPORT_ITEM } from './columns.ts';

export const passportInspect = defineCommand({
  name: 'passport inspect',
  summary: 'What the gate knows of a passport; or the claims of one that is piped in, unchecked.',
  arguments: [{ name: 'JTI', help: 'Its id, or - to read a passport from standard input.' }],
  examples: ['sallyport passport inspect jti_0mfx…', 'sallyport passport inspect - < passport.jwt'],
  async run({ client, output, args, terminal }) {
    const jti = argument(args, 0);
    if (jti !== '-') {
      output.item(await client.get(`/passports/${step(jti)}`), PASSPORT_ITEM);
      return undefined;
    }
    const token = (await terminal.readAll(LIMITS.passportChars)).toString('utf8').trim();
    const { header, payload } = await readParts(token);
    output.note('Signature, audience and revocation were not checked.');
    const claims = { header, claims: payload };
    output.result(claims, JSON.stringify(claims));
    return undefined;
  },
});

async function readParts(token: string): Promise<{ header: unknown; payload: unknown }> {
  const { decodeBase64url, parseStrictJsonObject } = await import('../../proof/index.ts');
  const decode = (part: string | undefined): unknown => {
    const bytes = decodeBase64url(part ?? '');
    if (bytes === null) throw new Error('not base64url');
    return parseStrictJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(bytes), LIMITS.jsonDepth);
  };
  const [header, payload, signature, ...more] = token.split('.');
  try {
    if (signature === undefined || more.length > 0) throw new Error('not three parts');
    return { header: decode(header), payload: decode(payload) };
  } catch (cause) {
    throw new CliFault(EXIT.refused, 'passport_invalid', 'Standard input does not hold a passport.', {
      cause,
    });
  }
}
