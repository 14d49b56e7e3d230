import type { Clock } from '../../core/index.ts';
import type { AgentDirectory } from '../agent-directory.ts';
import type { BackchannelOptions } from '../backchannel/backchannel.ts';
import { backchannelGrant, CIBA } from '../backchannel/redeem.ts';
import type { BackchannelStore } from '../backchannel/store.ts';
import type { ClientDocuments } from '../client-documents/client-documents.ts';
import type { ConsentOptions } from '../consent/consent.ts';
import type { DelegationPolicy } from '../delegation-policy.ts';
import type { Issuing } from '../issuing.ts';
import { PATHS } from '../metadata.ts';
import type { Nonces } from '../nonces.ts';
import type { PassportReader } from '../passport-reader.ts';
import type { Pepper } from '../pepper.ts';
import { AUTHORIZATION_CODE, codeGrant } from '../person-grants/code-grant.ts';
import { DEVICE_CODE, deviceGrant } from '../person-grants/device-grant.ts';
import type { PersonGrantRoom } from '../person-grants/person-grants.ts';
import { REFRESH_TOKEN, refreshGrant } from '../person-grants/refresh-grant.ts';
import type { RefreshTokens } from '../person-grants/refresh-token.ts';
import type { DeviceRequestStore, PersonGrantStore } from '../person-grants/store.ts';
import { Turns } from '../person-grants/turns.ts';
import type { Ratchets } from '../ratchet/ratchet.ts';
import type { AgentStore, OidcStore } from '../store.ts';
import { ForeignKeys } from '../workloads/foreign-keys.ts';
import type { TrustRule } from '../workloads/trust-rules.ts';
import { WorkloadAuthenticator } from '../workloads/workload-authenticator.ts';
import { ClientAuthenticator } from './client-authenticator.ts';
import { CLIENT_CREDENTIALS, forItself, JWT_BEARER } from './for-itself.ts';
import { wasUsed } from './once.ts';
import type { Signer } from './signing.ts';
import { type OwnGrant, OwnGrants } from './token-endpoint.ts';
import { TOKEN_EXCHANGE, tokenExchange } from './token-exchange.ts';
import { TokenProofReader } from './token-proof.ts';

export interface GrantsOptions {
  readonly tenant: string;
  readonly issuer: string;
  /** What passports may be for; the gateway first. */
  readonly audiences: readonly string[];
  readonly rules: readonly TrustRule[];
  readonly lifetimeSeconds: number;
  readonly bearer: 'never' | 'loopback';
  /** Null: no nonce is asked for. */
  readonly nonces: Nonces | null;
  readonly agents: AgentStore;
  readonly directory: AgentDirectory;
  readonly pepper: Pepper;
  readonly reader: PassportReader;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly policy: DelegationPolicy;
  readonly clock: Clock;
  readonly ratchets: Ratchets;
  readonly documents: ClientDocuments;
  readonly oidc: OidcStore;
  /** Null: agents can't ask people elsewhere. */
  readonly backchannel: (BackchannelOptions & { readonly store: BackchannelStore }) | null;
  /** Null: people can't let agents act in their name. */
  readonly consent:
    | (Pick<ConsentOptions, 'findUser'> & {
        readonly store: PersonGrantStore;
        readonly devices: DeviceRequestStore;
        readonly room: PersonGrantRoom;
        readonly refreshTokens: RefreshTokens;
      })
    | null;
}

/** The grants of people, and of clients that keep no secret. */
function personGrants(o: GrantsOptions, authenticate: OwnGrant['authenticate']): [string, OwnGrant][] {
  const { consent, pepper, tenant } = o;
  if (consent === null) return [];
  const options = {
    ...o,
    ...consent,
    turns: new Turns(),
    hashOf: (label: string, code: string) => pepper.hashToken(label, [tenant, code]),
  };
  return [
    [AUTHORIZATION_CODE, { authenticate, grant: codeGrant(options) }],
    [REFRESH_TOKEN, { authenticate, grant: refreshGrant(options) }],
    [DEVICE_CODE, { authenticate, grant: deviceGrant(options) }],
  ];
}

/** The grants that are ours: one line a grant. Without rules nobody's platform is trusted, and the grant is not offered. */
export function openGrants(o: GrantsOptions): OwnGrants {
  const tokenEndpoint = `${o.issuer}${PATHS.token}`;
  const clients = new ClientAuthenticator({
    ...o,
    assertionAudiences: [
      o.issuer,
      ...[PATHS.token, PATHS.backchannel, PATHS.pushedRequests, PATHS.deviceAuthorization].map(
        (path) => `${o.issuer}${path}`,
      ),
    ],
    wasUsed: (thing) => wasUsed(o, o.clock.now(), thing),
  });
  const workloads = new WorkloadAuthenticator({ ...o, keys: new ForeignKeys(o) });
  const authenticate: OwnGrant['authenticate'] = (form, shown) => clients.authenticate(form, shown);
  const authenticateOrName: OwnGrant['authenticate'] = (form, shown) =>
    clients.authenticateOrName(form, shown);
  const bearer: OwnGrant = {
    authenticate: (form, { authorization }) => workloads.authenticate(form, authorization),
    grant: forItself(o, 'jwt_bearer'),
  };
  const { backchannel } = o;
  const ciba: OwnGrant | null =
    backchannel === null
      ? null
      : { authenticate, grant: backchannelGrant({ ...o, backchannel, store: backchannel.store }) };
  return new OwnGrants({
    grants: new Map([
      [CLIENT_CREDENTIALS, { authenticate, grant: forItself(o, 'client_credentials') }],
      [TOKEN_EXCHANGE, { authenticate, grant: tokenExchange(o) }],
      ...personGrants(o, authenticateOrName),
      ...(ciba === null ? [] : [[CIBA, ciba] as const]),
      ...(o.rules.length === 0 ? [] : [[JWT_BEARER, bearer] as const]),
    ]),
    ratchets: o.ratchets,
    authenticate,
    authenticateOrName,
    proofs: new TokenProofReader({ ...o, tokenEndpoint, boundOnly: o.bearer === 'never' }),
  });
}
