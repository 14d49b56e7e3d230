import type { AdminClient } from '../client/admin-client.ts';
import { step } from '../client/step.ts';
import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

const KINDS = ['token', 'hop', 'session', 'agent', 'owner', 'user', 'credential', 'key'] as const;

export const passportRevoke = defineCommand({
  name: 'passport revoke',
  summary:
    'Revoke a passport, or all of a hop, session, agent, owner, user, credential or signing key; effective when it answers.',
  options: {
    token: { type: 'string', value: 'JTI', help: 'This passport, and all that was exchanged from it.' },
    hop: { type: 'string', value: 'ID', help: 'This hop, and all that was delegated from it.' },
    session: { type: 'string', value: 'SID', help: 'All passports of this session, for good.' },
    agent: { type: 'string', value: 'AGENT', help: 'All passports of this agent, which is quarantined.' },
    owner: {
      type: 'string',
      value: 'OWNER',
      help: 'All passports of this owner’s agents, which are quarantined.',
    },
    user: { type: 'string', value: 'USER', help: 'All passports for this user.' },
    credential: {
      type: 'string',
      value: 'AGENT/KID',
      help: 'All that was got with this key or secret of the agent, which loses it.',
    },
    key: {
      type: 'string',
      value: 'KID',
      help: 'All that this key of the issuer has signed; another one takes over.',
    },
    reason: { type: 'string', value: 'TEXT', help: 'Why; stands in the audit log.' },
  },
  examples: [
    'sallyport passport revoke --token jti_0mfx…',
    'sallyport passport revoke --agent builder --reason "laptop lost"',
  ],
  async run({ client, output, values }) {
    const named = KINDS.filter((kind) => values[kind] !== undefined);
    const [kind] = named;
    if (kind === undefined || named.length !== 1) {
      throw usageFault(`Name exactly one of: ${KINDS.map((one) => `--${one}`).join(', ')}.`);
    }
    const given = values[kind] ?? '';
    const value = await revocableOf(kind, given, client);
    const revocation = await client.post('/revocations', { kind, value, reason: values.reason ?? null });
    output.result(revocation, `Revoked: ${kind} ${given}.`);
    return undefined;
  },
});

/** Agents may be named; the API wants their ids. */
async function revocableOf(
  kind: (typeof KINDS)[number],
  given: string,
  client: AdminClient,
): Promise<string> {
  if (kind !== 'agent' && kind !== 'credential') return given;
  const [agent = '', ...rest] = kind === 'agent' ? [given] : given.split('/');
  const id = textOf((await client.get(`/agents/${step(agent)}`)).id);
  return [id, ...rest].join('/');
}
