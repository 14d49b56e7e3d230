import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { step } from '../client/step.ts';
import { argument, type CommandContext, defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import { rowOf, textOf } from '../output.ts';

export const agentAdd = defineCommand({
  name: 'agent add',
  summary: 'Register an agent; makes a key pair here unless told otherwise.',
  arguments: [{ name: 'NAME', help: 'Name of the agent.' }],
  options: {
    scope: { type: 'string', multiple: true, value: 'SERVICE:ACCESS', help: 'A scope that it may ask for.' },
    owner: { type: 'string', value: 'WHO', help: 'Who answers for it; default: your user name.' },
    purpose: { type: 'string', value: 'TEXT', help: 'What it is for.' },
    secret: { type: 'boolean', help: 'Generate a client secret, shown once, in place of a key pair.' },
    jwks: { type: 'string', value: 'FILE', help: 'Register the public keys of this JWK set.' },
    'redirect-uri': {
      type: 'string',
      multiple: true,
      value: 'URL',
      help: 'Where a browser may be sent back to, for an agent that acts for people.',
    },
    device: { type: 'boolean', help: 'It may ask people by the device flow.' },
    public: { type: 'boolean', help: 'It acts for people alone, and has no credential of its own.' },
    certificate: {
      type: 'string',
      value: 'FILE',
      help: 'Register this TLS client certificate (PEM), in place of a key pair.',
    },
  },
  examples: [
    'sallyport agent add builder --scope github:read --scope npm:read',
    'sallyport agent add ci --scope github:write --owner ci@example.com --secret',
    'sallyport agent add partner --scope api:read --jwks partner.jwks.json',
    'sallyport agent add edge --scope api:read --certificate edge.pem',
    'sallyport agent add desktop --scope mail:read --public --redirect-uri http://127.0.0.1/callback',
  ],
  async run(context) {
    const { values } = context;
    const ways = [values.secret, values.jwks !== undefined, values.certificate !== undefined, values.public];
    if (ways.filter(Boolean).length > 1)
      throw usageFault('--secret, --jwks, --certificate and --public exclude each other.');
    const wanted = {
      name: argument(context.args, 0),
      owner: values.owner ?? userInfo().username,
      scopes: values.scope,
      purpose: values.purpose ?? null,
      ...(values['redirect-uri'].length === 0 ? {} : { redirectUris: values['redirect-uri'] }),
      ...(values.device ? { device: true } : {}),
    };
    if (values.public) return addPublic(context, wanted);
    if (values.secret) return addWithSecret(context, wanted);
    if (values.jwks !== undefined) return addWithKeys(context, wanted, values.jwks);
    if (values.certificate !== undefined) return addWithCertificate(context, wanted, values.certificate);
    return addWithOwnKey(context, wanted);
  },
});

type Context = Pick<CommandContext<unknown>, 'client' | 'output' | 'state'>;
interface Wanted {
  readonly name: string;
  readonly owner: string;
  readonly scopes: readonly string[];
  readonly purpose: string | null;
  readonly redirectUris?: readonly string[];
  readonly device?: boolean;
}

async function addWithOwnKey({ client, output, state }: Context, wanted: Wanted): Promise<undefined> {
  const { agentKeyFile, generateAgentKey, saveAgentKey } = await import('../agent-keys.ts');
  const file = agentKeyFile(state, wanted.name);
  if (existsSync(file)) throw stateFault(`${file} exists already.`, 'Move it away, or choose another name.');
  const key = await generateAgentKey();
  const { agent } = await client.post('/agents', { ...wanted, jwks: [key.publicJwk] });
  const { id } = rowOf(agent);
  try {
    await saveAgentKey(file, { clientId: textOf(id), privateJwk: key.privateJwk });
  } catch (cause) {
    // An agent whose key is nowhere would only stand in the way of the next try.
    await client.delete(`/agents/${step(textOf(id))}`);
    throw cause;
  }
  output.result(
    { agent, keyFile: file },
    `Registered ${wanted.name} (${textOf(id)}); its key is in ${file}.`,
  );
  output.say(`Make a call: sallyport call --agent ${wanted.name} URL`);
}

async function addWithSecret({ client, output }: Context, wanted: Wanted): Promise<undefined> {
  const { agent, secret } = await client.post('/agents', { ...wanted, withSecret: true });
  output.result(
    { agent, secret },
    `Registered ${wanted.name}. Client id and secret (shown once, kept nowhere):`,
  );
  output.say(`${textOf(rowOf(agent).id)}\n${textOf(secret)}`);
}

async function addPublic({ client, output }: Context, wanted: Wanted): Promise<undefined> {
  const { agent } = await client.post('/agents', { ...wanted, publicClient: true });
  output.result({ agent }, `Registered ${wanted.name} (${textOf(rowOf(agent).id)}).`);
}

async function addWithKeys({ client, output }: Context, wanted: Wanted, file: string): Promise<undefined> {
  const { readJwks } = await import('./read-jwks.ts');
  const { agent } = await client.post('/agents', { ...wanted, jwks: readJwks(file) });
  output.result({ agent }, `Registered ${wanted.name} (${textOf(rowOf(agent).id)}).`);
}

async function addWithCertificate(
  { client, output }: Context,
  wanted: Wanted,
  file: string,
): Promise<undefined> {
  const pem = readFileSync(file, 'utf8');
  if (pem.includes('PRIVATE KEY')) {
    throw usageFault(
      `${file} holds a private key; only the certificate is registered.`,
      'Take the key out of it.',
    );
  }
  const { agent } = await client.post('/agents', { ...wanted, certificates: [pem] });
  output.result({ agent }, `Registered ${wanted.name} (${textOf(rowOf(agent).id)}).`);
}
