import type { AdminClient } from '../client/admin-client.ts';
import { step } from '../client/step.ts';
import { argument, defineCommand, type Values } from '../command.ts';
import { usageFault } from '../fault.ts';
import { readSecret, SECRET_FILE } from './read-secret.ts';

const options = {
  service: {
    type: 'string',
    multiple: true,
    value: 'NAME',
    help: 'Service that it is for: its origins are sealed with the secret.',
  },
  kind: {
    type: 'string',
    value: 'KIND',
    help: 'How it is put into requests: bearer, basic, header or query.',
  },
  username: { type: 'string', value: 'NAME', help: 'For basic.' },
  header: { type: 'string', value: 'NAME', help: 'For header: name of the field.' },
  prefix: { type: 'string', value: 'TEXT', help: 'For header: what stands before the secret.' },
  query: { type: 'string', value: 'NAME', help: 'For query: name of the parameter.' },
  'secret-file': SECRET_FILE,
} as const;

export const credentialPut = defineCommand({
  name: 'credential put',
  summary: 'Seal a secret for services; the secret comes from standard input, a file or a prompt.',
  arguments: [{ name: 'NAME', help: 'Name of the credential.' }],
  options,
  examples: [
    'sallyport credential put github-token --service github --kind bearer',
    'sallyport credential put git --service git --kind basic --username x-access-token < token.txt',
    'sallyport credential put maps --service maps --kind query --query key --secret-file key.txt',
    'sallyport credential put api --service api --kind header --header X-Api-Key',
  ],
  async run(context) {
    const { client, output, args, values } = context;
    const name = argument(args, 0);
    if (values.service.length === 0)
      throw usageFault('credential put needs --service.', 'See: sallyport credential put --help');
    const injector = injectorOf(values);
    const secret = await readSecret(context, values['secret-file']);
    const body = { services: values.service, injector, ...secret };
    const credential = await client.put(`/credentials/${step(name)}`, body);
    output.result(credential, `Sealed ${name} for ${values.service.join(', ')}.`);
    for (const service of values.service) await attach(client, service, name, (text) => output.note(text));
    return undefined;
  },
});

function injectorOf(values: Values<typeof options>): Readonly<Record<string, string>> {
  const { kind, username, header, prefix, query } = values;
  const needed = (value: string | undefined, option: string): string => {
    if (value === undefined) throw usageFault(`--kind ${kind} needs ${option}.`);
    return value;
  };
  const forbidden = {
    basic: [header, prefix, query],
    header: [username, query],
    query: [username, header, prefix],
  };
  const others =
    kind === 'basic' || kind === 'header' || kind === 'query'
      ? forbidden[kind]
      : [username, header, prefix, query];
  if (others.some((value) => value !== undefined))
    throw usageFault(`An option does not go with --kind ${kind}.`, 'See: sallyport credential put --help');
  switch (kind) {
    case 'bearer':
      return { kind };
    case 'basic':
      return { kind, username: needed(username, '--username') };
    case 'header':
      return { kind, name: needed(header, '--header'), ...(prefix === undefined ? {} : { prefix }) };
    case 'query':
      return { kind, name: needed(query, '--query') };
    default:
      throw usageFault(
        '--kind is one of bearer, basic, header, query.',
        'See: sallyport credential put --help',
      );
  }
}

/** A service without a credential takes this one; one that has another keeps it, and the person is told. */
async function attach(
  client: AdminClient,
  service: string,
  name: string,
  tell: (text: string) => void,
): Promise<void> {
  const path = `/services/${step(service)}`;
  const { name: _, ...known } = await client.get(path);
  if (known.credential === name) return;
  if (known.credential !== null) {
    tell(
      `${service} still uses the credential ${known.credential}; change it with: sallyport service add ${service} --replace --credential ${name} …`,
    );
    return;
  }
  await client.put(path, { ...known, credential: name });
  tell(`Requests to ${service} carry ${name} from now on.`);
}
