import type { Clock, UnitOfWork } from '../../core/index.ts';
import { type Endpoint, formOf } from '../endpoint.ts';
import type { Authenticate } from '../grants/grant.ts';
import { type OnceOnly, useOnce } from '../grants/once.ts';
import { TokenForm } from '../grants/token-form.ts';
import type { TokenProofReader } from '../grants/token-proof.ts';
import { PATHS } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';
import { readAuthorizationRequest, readTarget } from './authorization-request.ts';
import type { ClientFinder } from './client-finder.ts';
import { type NoticeAsked, noticeScopes } from './notice-scopes.ts';
import { PUSHED_MS, type Questions } from './questions.ts';

const URN = 'urn:ietf:params:oauth:request_uri:';
export const REQUEST_URI = new RegExp(`^${URN}([A-Za-z0-9_-]{43})$`);
/** They prove who the client is, and stay here. */
const OF_CLIENT = new Set(['client_secret', 'client_assertion', 'client_assertion_type']);

export interface PushOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly authenticate: Authenticate;
  readonly proofs: TokenProofReader;
  readonly clients: ClientFinder;
  readonly questions: Questions;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly clock: Clock;
  readonly noticeAsked: NoticeAsked;
}

/**
 * Pushed authorization requests (RFC 9126): the client hands in what it will ask for, authenticated and out of the
 * browser's reach. A DPoP proof binds the code to its key (RFC 9449 section 10.1). Throws OAuthFault.
 */
export function pushEndpoint(o: PushOptions): Endpoint {
  return {
    path: new RegExp(`^${PATHS.pushedRequests}$`),
    methods: ['POST'],
    takesClients: true,
    answer: async (request) => {
      const form = formOf(request);
      const { authorization, dpop } = request.headers;
      const client = await o.authenticate(form, { authorization, certificate: null, onClaimed: () => {} });
      if (form.has('request_uri')) {
        throw new OAuthFault('invalid_request', 'a request_uri can not be pushed');
      }
      await noticeScopes(form, client, o.noticeAsked);
      const asked = form.pairs().filter(([name]) => !OF_CLIENT.has(name));
      const target = await readTarget(form, o.clients);
      if (target.client.agent.id !== client.agent.id) {
        throw new OAuthFault('invalid_request', 'the client_id is not that of the client that authenticated');
      }
      const once: OnceOnly[] = [...client.once];
      if (typeof dpop === 'string') {
        const shown = { proof: dpop, certificate: null };
        const proof = await o.proofs.read(shown, client.agent.id, `${o.issuer}${PATHS.pushedRequests}`);
        if (proof?.jkt != null) {
          if ((form.one('dpop_jkt') ?? proof.jkt) !== proof.jkt) {
            throw new OAuthFault('invalid_request', 'dpop_jkt is not the key of the DPoP proof');
          }
          if (!form.has('dpop_jkt')) asked.push(['dpop_jkt', proof.jkt]);
          once.push(...proof.once);
        }
      }
      readAuthorizationRequest(new TokenForm(asked), target, o.audiences);
      const id = await o.unitOfWork.run(async (stores) => {
        const now = o.clock.now();
        await useOnce(stores, now, once);
        await client.within?.(stores, now);
        return o.questions.push(stores, { pairs: asked, agentId: client.agent.id });
      });
      return { status: 201, body: { request_uri: `${URN}${id}`, expires_in: PUSHED_MS / 1000 } };
    },
  };
}
