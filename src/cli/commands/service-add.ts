import { readFileSync } from 'node:fs';
import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { CliFault, EXIT, stateFault, usageFault } from '../fault.ts';

export const serviceAdd = defineCommand({
  name: 'service add',
  summary: 'Tell the gate of an upstream.',
  arguments: [{ name: 'NAME', help: 'Stands in /s/<name>/… and in scopes.' }],
  options: {
    origin: {
      type: 'string',
      multiple: true,
      value: 'URL',
      help: 'Where it lives; the first one is where /s/<name>/ goes.',
    },
    credential: { type: 'string', value: 'NAME', help: 'Credential to put into its requests.' },
    'allow-private': { type: 'boolean', help: 'It may live in private and loopback ranges.' },
    ca: { type: 'string', value: 'FILE', help: 'PEM of the authority that its certificate must chain to.' },
    'encoded-slash': {
      type: 'string',
      value: 'refuse|opaque',
      help: 'What %2F in a path is; default: refuse.',
    },
    'inspect-body': { type: 'boolean', help: 'Read bodies before deciding.' },
    replace: { type: 'boolean', help: 'Replace the service by this name.' },
  },
  examples: [
    'sallyport service add github --origin https://api.github.com',
    'sallyport service add npm --origin https://registry.npmjs.org --encoded-slash opaque',
    'sallyport service add wiki --origin https://wiki.internal --allow-private --ca internal-ca.pem',
  ],
  async run({ client, output, args, values }) {
    const name = argument(args, 0);
    if (values.origin.length === 0)
      throw usageFault('service add needs --origin.', 'See: sallyport service add --help');
    const service = {
      origins: values.origin,
      credential: values.credential ?? null,
      allowPrivate: values['allow-private'],
      upstreamCa: values.ca === undefined ? null : readPem(values.ca),
      encodedSlash: values['encoded-slash'] ?? 'refuse',
      inspectBody: values['inspect-body'],
    };
    const path = `/services/${step(name)}`;
    if (!values.replace && (await client.find(path)) !== null) {
      throw new CliFault(EXIT.refused, 'conflict', `There is a service ${name} already.`, {
        remedy: 'Add --replace to put this one in its place.',
      });
    }
    output.result(await client.put(path, service), `The gate knows ${name}.`);
    if (values.credential === undefined) {
      output.say(`Give it a credential: sallyport credential put NAME --service ${name} --kind bearer`);
    }
    return undefined;
  },
});

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw stateFault(`${file} can not be read.`, 'Check the name after --ca.', cause);
  }
}
