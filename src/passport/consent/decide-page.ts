import { notice, type Page, type PageAnswer, type PageRequest } from '../../people/index.ts';
import { askedFromJson } from '../grants/asked-grant.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Answers, Choice } from './answer.ts';
import { sendCode, sendFault } from './answer-url.ts';
import type { ClientFinder, FoundClient } from './client-finder.ts';
import { consentPage, type Shown } from './consent-page.ts';
import { lifetimeChoices } from './lifetimes.ts';
import type { Question, Questions } from './questions.ts';

export interface DecidePageOptions {
  readonly issuer: string;
  readonly longestGrantSeconds: number;
  readonly clients: ClientFinder;
  readonly questions: Questions;
  readonly answers: Answers;
}

const OVER = 'This question was answered already, or is over. Let the agent ask again.';

/** Where somebody who is signed in decides what an agent may do in their name. */
export function decidePage(o: DecidePageOptions): Page {
  return {
    path: /^\/consent\/(?<id>[A-Za-z0-9_-]{43})$/,
    methods: ['GET', 'POST'],
    async answer(request) {
      const { id = '' } = request.params;
      const question = await o.questions.find(id, request.browser);
      if (question === null) return notice(OVER, 404);
      const { signedIn } = request;
      if (signedIn === null || signedIn.signedInAt < question.signedInAfter) {
        return { kind: 'redirect', to: `/signin?continue=/consent/${id}` };
      }
      // It may have been sent away, or have lost a right, since it asked.
      const client = await o.clients.find(question.clientId);
      if (client === null) return notice(OVER, 404);
      const shown = shownOf(question, client, o);
      if (shown.scopes.length === 0) return notice(OVER, 404);
      if (request.method === 'GET') return consentPage(request, shown, null);
      return decide(request, { id, question, client }, shown, o).catch((fault: unknown) => {
        if (!(fault instanceof OAuthFault)) throw fault;
        return notice(OVER, 409);
      });
    },
  };
}

async function decide(
  request: PageRequest,
  asked: { readonly id: string; readonly question: Question; readonly client: FoundClient },
  shown: Shown,
  o: DecidePageOptions,
): Promise<PageAnswer> {
  const { form, signedIn } = request;
  const { way } = asked.question;
  if (signedIn === null) return notice(OVER, 404);
  const person = { id: signedIn.user.id, name: signedIn.user.name };
  switch (form.get('decision')) {
    case 'deny':
      await o.answers.deny(asked, person);
      if (way.kind === 'device') return notice('The agent gets nothing. You can close this page.', 200);
      return sendFault(way, o.issuer, new OAuthFault('access_denied', 'the person said no'));
    case 'allow': {
      const choice = readChoice(form, shown);
      if (typeof choice === 'string') return consentPage(request, shown, choice);
      const code = await o.answers.allow(asked, person, choice);
      if (way.kind === 'device' || code === null) {
        return notice('The agent may go on. You can close this page and go back to your device.', 200);
      }
      return sendCode(way, o.issuer, code);
    }
    default:
      return consentPage(request, shown, 'Say whether the agent may: Allow or Deny.');
  }
}

/** What is asked for, without what the agent has lost since. */
function shownOf(question: Question, client: FoundClient, { longestGrantSeconds }: DecidePageOptions): Shown {
  return {
    client,
    way: question.way,
    scopes: question.scope.split(' ').filter((scope) => client.agent.scopes.includes(scope)),
    details: askedFromJson(question.asked).details ?? [],
    audience: question.audience,
    longestGrantSeconds,
  };
}

/** What is left of it, or what is wrong with the form: nothing can be added to what was shown. */
function readChoice(form: URLSearchParams, shown: Shown): Choice | string {
  const ticked = form.getAll('scope');
  const scopes = shown.scopes.filter((scope) => ticked.includes(scope));
  if (scopes.length === 0) return 'Leave something that it may use, or deny it.';
  const kept = form.getAll('detail');
  const details = shown.details.filter((_, index) => kept.includes(String(index)));
  // Without any detail a passport would be good for everything that its scopes cover.
  if (shown.details.length > 0 && details.length === 0) return 'Leave something that it may do, or deny it.';
  const lifetimeSeconds = lifetimeChoices(shown.longestGrantSeconds).find(
    (seconds) => String(seconds) === form.get('lifetime'),
  );
  if (lifetimeSeconds === undefined) return 'Choose for how long.';
  return { scopes, details: shown.details.length === 0 ? null : details, lifetimeSeconds };
}
