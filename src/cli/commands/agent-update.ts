import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';

export const agentUpdate = defineCommand({
  name: 'agent update',
  summary:
    'Change what an agent may ask for, its purpose, its public keys or whether they give way, or how it asks people.',
  arguments: [{ name: 'AGENT', help: 'Name or id.' }],
  options: {
    scope: {
      type: 'string',
      multiple: true,
      value: 'SERVICE:ACCESS',
      help: 'All scopes it may ask for from now on.',
    },
    'no-scopes': { type: 'boolean', help: 'Take all scopes away.' },
    purpose: { type: 'string', value: 'TEXT', help: 'What it is for.' },
    jwks: { type: 'string', value: 'FILE', help: 'All its public keys from now on.' },
    'redirect-uri': {
      type: 'string',
      multiple: true,
      value: 'URL',
      help: 'All places that a browser may be sent back to from now on.',
    },
    device: { type: 'string', value: 'on|off', help: 'Whether it may ask people by the device flow.' },
    ratchet: {
      type: 'string',
      value: 'on|off',
      help: 'Whether its keys give way with each use, so that a copy is noticed; its program must keep them (SDK).',
    },
  },
  examples: [
    'sallyport agent update builder --scope github:read',
    'sallyport agent update builder --no-scopes',
    'sallyport agent update builder --ratchet on',
    'sallyport agent update desktop --redirect-uri https://desktop.example/callback',
  ],
  async run({ client, output, args, values }) {
    if (values['no-scopes'] && values.scope.length > 0)
      throw usageFault('--scope and --no-scopes exclude each other.');
    if (values.ratchet !== undefined && values.ratchet !== 'on' && values.ratchet !== 'off')
      throw usageFault('--ratchet is on or off.');
    if (values.device !== undefined && values.device !== 'on' && values.device !== 'off')
      throw usageFault('--device is on or off.');
    const change = {
      ...(values.ratchet === undefined ? {} : { ratchet: values.ratchet === 'on' }),
      ...(values.scope.length > 0 || values['no-scopes'] ? { scopes: values.scope } : {}),
      ...(values['redirect-uri'].length === 0 ? {} : { redirectUris: values['redirect-uri'] }),
      ...(values.device === undefined ? {} : { device: values.device === 'on' }),
      ...(values.purpose === undefined ? {} : { purpose: values.purpose }),
      ...(values.jwks === undefined ? {} : { jwks: await readKeys(values.jwks) }),
    };
    if (Object.keys(change).length === 0)
      throw usageFault('Nothing to change was named.', 'See: sallyport agent update --help');
    const name = argument(args, 0);
    output.result(await client.patch(`/agents/${step(name)}`, change), `Changed ${name}.`);
    return undefined;
  },
});

async function readKeys(file: string): Promise<readonly unknown[]> {
  const { readJwks } = await import('./read-jwks.ts');
  return readJwks(file);
}
