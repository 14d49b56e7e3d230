import type { Child } from '../lib/child.ts';
import type { AgentSpec, RequestSpec } from '../load/requests.ts';

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** What a process with an issuer in it says of itself. */
export interface IssuerReady {
  /** Authenticates with a key of its own. */
  readonly agent: AgentSpec;
  /** Authenticates with a secret. */
  readonly secretAgent: AgentSpec;
  readonly secret: string;
  /** The one that exchanges what another one passed on to it. */
  readonly worker: AgentSpec;
}

/** What it is asked for: a token of another agent that names the worker in `may_act`, or one of the agent's own. */
export type TokenWanted = 'subject' | 'own';

export type Operation = Extract<RequestSpec, { kind: 'token' }>;

/** One line an operation; the same request for everyone who is measured. */
export const OPERATIONS = {
  'client-credentials-jwt-dpop': async (child: Child) => {
    const { agent } = readyOf(child);
    return request('/token', agent, { form: credentials(agent) });
  },
  'client-credentials-secret': async (child: Child) => {
    const { secretAgent, secret } = readyOf(child);
    return request('/token', secretAgent, { form: credentials(secretAgent), secret });
  },
  'token-exchange': async (child: Child) => {
    const { worker } = readyOf(child);
    const form = {
      grant_type: EXCHANGE,
      subject_token: await child.ask<string>('subject' satisfies TokenWanted),
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'api:read',
    };
    return request('/token', worker, { form });
  },
  introspection: async (child: Child) => {
    const { agent } = readyOf(child);
    const form = { token: await child.ask<string>('own' satisfies TokenWanted) };
    return request('/introspect', agent, { form, proves: false });
  },
} as const;

function credentials({ resource }: AgentSpec): Readonly<Record<string, string>> {
  return { grant_type: 'client_credentials', resource, scope: 'api:read' };
}

function request(
  path: string,
  agent: AgentSpec,
  o: {
    readonly form: Readonly<Record<string, string>>;
    readonly secret?: string;
    readonly proves?: boolean;
  },
): Operation {
  const { form, secret = null, proves = true } = o;
  return { kind: 'token', path, host: new URL(agent.issuer).host, agent, form, secret, proves };
}

function readyOf(child: Child): IssuerReady {
  return child.ready as unknown as IssuerReady;
}
