import type { Clock } from '../../core/index.ts';
import { notice, type Page, type PageAnswer, type PageRequest } from '../../people/index.ts';
import { askedToJson } from '../grants/asked-grant.ts';
import { TokenForm } from '../grants/token-form.ts';
import { PATHS } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { sendFault } from './answer-url.ts';
import { type AnswerTarget, readAuthorizationRequest, readTarget } from './authorization-request.ts';
import type { ClientFinder } from './client-finder.ts';
import { REQUEST_URI } from './push.ts';
import type { Questions } from './questions.ts';

export interface AuthorizePageOptions {
  readonly issuer: string;
  /** The gateway first. */
  readonly audiences: readonly string[];
  readonly clients: ClientFinder;
  readonly questions: Questions;
  readonly clock: Clock;
  readonly onRefused: (o: { clientId: string | null; error: string; detail: string | null }) => void;
}

/**
 * The authorization endpoint (OAuth 2.1 section 4.1.1): reads what an agent wants of a person, and leads the browser to
 * the page where the person decides. Until client and redirect URI are known for good, faults stay on a page of ours.
 */
export function authorizePage(o: AuthorizePageOptions): Page {
  return {
    path: new RegExp(`^${PATHS.authorization}$`),
    methods: ['GET'],
    async answer(request) {
      try {
        const form = await readForm(request.query, o.questions);
        const target = await readTarget(form, o.clients);
        return await ask(request, form, target, o).catch((fault: unknown) => tellClient(fault, target, o));
      } catch (fault) {
        if (!(fault instanceof OAuthFault)) throw fault;
        o.onRefused({ clientId: null, error: fault.code, detail: fault.message });
        return notice(
          `The agent that sent you here made a mistake: ${fault.message}. Nothing was allowed.`,
          400,
        );
      }
    },
  };
}

async function ask(
  request: PageRequest,
  form: TokenForm,
  { client, redirectUri, state }: AnswerTarget,
  o: AuthorizePageOptions,
): Promise<PageAnswer> {
  const wanted = readAuthorizationRequest(form, { client, redirectUri, state }, o.audiences);
  if (wanted.prompt === 'none') {
    // What an agent may do is asked for each time: another program could stand behind the same client_id.
    throw request.signedIn === null
      ? new OAuthFault('login_required', 'nobody is signed in')
      : new OAuthFault('consent_required', 'the person has to be asked');
  }
  const now = o.clock.now();
  const id = await o.questions.ask(
    {
      way: { kind: 'code', redirectUri, state, codeChallenge: wanted.codeChallenge, dpopJkt: wanted.dpopJkt },
      clientId: client.clientId,
      agentId: client.agent.id,
      scope: wanted.scope,
      audience: wanted.audience,
      asked: askedToJson(wanted.asked),
      signedInAfter: signedInAfter(wanted, now),
    },
    request.browser,
  );
  return { kind: 'redirect', to: `/consent/${id}` };
}

function signedInAfter(
  {
    prompt,
    maxAgeSeconds,
  }: { readonly prompt: 'none' | 'login' | null; readonly maxAgeSeconds: number | null },
  now: number,
): number {
  if (prompt === 'login') return now;
  return maxAgeSeconds === null ? 0 : now - maxAgeSeconds * 1000;
}

/** What was pushed before (RFC 9126), or what stands in the address. Throws OAuthFault. */
async function readForm(query: URLSearchParams, questions: Questions): Promise<TokenForm> {
  const form = new TokenForm(query);
  const named = form.one('request_uri');
  if (named === null) return form;
  const id = REQUEST_URI.exec(named)?.[1];
  const found = id === undefined ? null : await questions.takePushed(id);
  if (found === null) {
    throw new OAuthFault('invalid_request_uri', 'the request_uri is not known, was used, or is over');
  }
  const pushed = new TokenForm(found.pairs);
  if (pushed.required('client_id') !== form.required('client_id')) {
    throw new OAuthFault('invalid_request_uri', 'the request_uri is that of another client');
  }
  return pushed;
}

function tellClient(fault: unknown, target: AnswerTarget, o: AuthorizePageOptions): PageAnswer {
  if (!(fault instanceof OAuthFault)) throw fault;
  o.onRefused({ clientId: target.client.agent.id, error: fault.code, detail: fault.message });
  return sendFault(target, o.issuer, fault);
}
