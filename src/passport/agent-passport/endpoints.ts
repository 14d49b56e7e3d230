import type { RateLimiter } from '../../core/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Registrations } from '../enrol/registrations.ts';
import { tooManyRequests } from '../oauth-fault.ts';
import { type IdentityTokenOptions, identityToken } from './identity-token.ts';
import { registerAgent } from './register.ts';
import { TokenDesk, type TokenDeskOptions } from './token-desk.ts';

export interface AgentPassportOptions extends IdentityTokenOptions, TokenDeskOptions {
  readonly registrations: Registrations;
  /** Of challenges for one agent. */
  readonly limiter: RateLimiter;
}

const ID = '(?<id>agent_[a-z0-9]{1,64})';

/** The endpoints of Agent Passport, for agents and apps that were built for it (docs/reference/passport.md). */
export function agentPassportEndpoints(o: AgentPassportOptions): readonly Endpoint[] {
  const desk = new TokenDesk(o);
  const post = (path: string, answer: Endpoint['answer']): Endpoint => ({
    path: new RegExp(`^/v1/${path}$`),
    methods: ['POST'],
    answer,
  });
  return [
    post('agents/register', (request) => registerAgent(request, o)),
    post(`agents/${ID}/challenge`, async ({ params: { id = '' } }) => {
      const wait = o.limiter.take(`challenge ${id}`, o.clock.now());
      if (wait > 0) throw tooManyRequests(wait);
      const { expiresAt, ...challenge } = o.challenges.make(id);
      return { status: 200, body: { ...challenge, expiresAt: new Date(expiresAt).toISOString() } };
    }),
    post(`agents/${ID}/identity-token`, (request) => identityToken(request, o)),
    post('tokens/verify', (request) => desk.verify(request)),
    post('tokens/introspect', (request) => desk.introspect(request)),
    post('tokens/revoke', (request) => desk.revoke(request)),
  ];
}
