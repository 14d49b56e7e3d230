import { step } from '../client/admin-client.ts';
import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

const KINDS = ['token', 'hop', 'session', 'agent', 'owner', 'user'] as const;

export const passportRevoke = defineCommand({
  name: 'passport revoke',
  summary:
    'Revoke a passport, or all of a hop, a session, an agent, an owner or a user; effective when it answers.',
  options: {
    token: { type: 'string', value: 'JTI', help: 'This passport.' },
    hop: { type: 'string', value: 'ID', help: 'This hop, and all that was delegated from it.' },
    session: { type: 'string', value: 'SID', help: 'All passports of this session, for good.' },
    agent: { type: 'string', value: 'AGENT', help: 'All passports of this agent, which is quarantined.' },
    owner: {
      type: 'string',
      value: 'OWNER',
      help: 'All passports of this owner’s agents, which are quarantined.',
    },
    user: { type: 'string', value: 'USER', help: 'All passports for this user.' },
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
    const value = kind === 'agent' ? textOf((await client.get(`/agents/${step(given)}`)).id) : given;
    const revocation = await client.post('/revocations', { kind, value, reason: values.reason ?? null });
    output.result(revocation, `Revoked: ${kind} ${given}.`);
    return undefined;
  },
});
