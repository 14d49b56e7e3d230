import type { AuditEvent, Clock, UnitOfWork } from '../../core/index.ts';
import type { Page } from '../../people/index.ts';
import type { AgentDirectory } from '../agent-directory.ts';
import type { ClientDocuments } from '../client-documents/client-documents.ts';
import type { Endpoint } from '../endpoint.ts';
import type { OwnGrants } from '../grants/token-endpoint.ts';
import type { PassportStores } from '../options.ts';
import type { Pepper } from '../pepper.ts';
import { Answers } from './answer.ts';
import { authorizePage } from './authorize-page.ts';
import { ClientFinder } from './client-finder.ts';
import type { ConsentOptions } from './consent.ts';
import { decidePage } from './decide-page.ts';
import { deviceEndpoint } from './device-endpoint.ts';
import { devicePage } from './device-page.ts';
import type { NoticeAsked } from './notice-scopes.ts';
import { pushEndpoint } from './push.ts';
import { Questions } from './questions.ts';

/** How people are asked: what programs talk to, and what browsers show. */
export interface Consent {
  readonly endpoints: readonly Endpoint[];
  readonly pages: readonly Page[];
}

export interface OpenConsentOptions extends ConsentOptions {
  readonly tenant: string;
  readonly issuer: string;
  /** What passports may be for; the gateway first. */
  readonly audiences: readonly string[];
  readonly grants: OwnGrants;
  readonly directory: AgentDirectory;
  readonly documents: ClientDocuments;
  readonly stores: PassportStores;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly pepper: Pepper;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly noticeAsked: NoticeAsked;
  readonly onRefused: (o: { clientId: string | null; error: string; detail: string | null }) => void;
}

export function openConsent(o: OpenConsentOptions): Consent {
  const { tenant, pepper, grants, stores } = o;
  const hashOf = (label: string, code: string) => pepper.hashToken(label, [tenant, code]);
  const clients = new ClientFinder(o);
  const questions = new Questions({ ...o, rows: stores.oidc });
  const answers = new Answers({ ...o, clients, questions, hashOf });
  const authenticate = grants.authenticateOrName;
  return {
    endpoints: [
      pushEndpoint({ ...o, authenticate, proofs: grants.proofs, clients, questions }),
      deviceEndpoint({ ...o, authenticate, store: stores.deviceRequests, hashOf }),
    ],
    pages: [
      authorizePage({ ...o, clients, questions }),
      decidePage({ ...o, clients, questions, answers }),
      devicePage({ ...o, store: stores.deviceRequests, questions, hashOf }),
    ],
  };
}
