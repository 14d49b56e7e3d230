import { type AuditEvent, Refusal, type ServiceDirectory } from '../../core/index.ts';
import type { SessionAuthorities } from '../ca/session-authorities.ts';
import { hostsOfPassport } from '../ca/session-authorities.ts';
import { verifyPassport } from '../steps.ts';
import type { Endpoint } from './endpoint.ts';

export interface AuthorityEndpointOptions {
  readonly sessions: SessionAuthorities;
  readonly services: ServiceDirectory;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/**
 * `POST /v1/ca`: the certificate authority of this session, for `sallyport run`. It can name the hosts of the
 * services in the passport's scopes and no others; its key stays in the gate.
 */
export function authorityEndpoint({ sessions, services, audit }: AuthorityEndpointOptions): Endpoint {
  return {
    methods: ['POST'],
    answer: async (request) => {
      const { line, story, body } = request;
      const passport = await verifyPassport(line, story, request.presented());
      await body.buffer(0);
      const { tenant, agentId, sid } = passport.subject;
      const hosts = hostsOfPassport(passport, services);
      if (hosts.length === 0) {
        throw new Refusal('scope_insufficient', {
          detail: 'The passport names no service that has an https origin.',
        });
      }
      const authority = await sessions.issue(passport, hosts);
      const { certificatePem, expiresAt } = authority;
      await audit({
        type: 'ca.issued',
        tenant,
        at: line.clock.now(),
        data: { id: sid, by: agentId, changes: { hosts, expiresAt } },
      });
      return { status: 200, body: { certificate: certificatePem, hosts, expiresAt } };
    },
  };
}
