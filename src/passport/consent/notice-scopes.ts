import type { AuthenticatedClient } from '../grants/client-authenticator.ts';
import type { TokenForm } from '../grants/token-form.ts';
import type { AgentRecord } from '../store.ts';

/** Tells who listens what an agent asks for: a scope that nobody should ask for is a decoy. */
export type NoticeAsked = (agent: AgentRecord, scope: string) => Promise<void>;

/** What an agent asks for where it proved who it is; anybody could ask in the name of a public client, and bring it into disrepute. */
export async function noticeScopes(
  form: TokenForm,
  { agent, by }: AuthenticatedClient,
  noticeAsked: NoticeAsked,
): Promise<void> {
  const scope = form.one('scope');
  if (scope !== null && by.kind !== 'public') await noticeAsked(agent, scope);
}
