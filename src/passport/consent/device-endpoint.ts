import { randomBytes } from 'node:crypto';
import type { Clock, UnitOfWork } from '../../core/index.ts';
import { type Endpoint, formOf } from '../endpoint.ts';
import { askedToJson } from '../grants/asked-grant.ts';
import type { Authenticate } from '../grants/grant.ts';
import { useOnce } from '../grants/once.ts';
import { PATHS } from '../metadata.ts';
import { OAuthFault, tooManyRequests } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';
import { DEVICE_INTERVAL_MS } from '../person-grants/device-grant.ts';
import type { DeviceRequestStore } from '../person-grants/store.ts';
import { readAskedOfPerson } from './authorization-request.ts';
import { type NoticeAsked, noticeScopes } from './notice-scopes.ts';
import { newUserCode, shownUserCode } from './user-code.ts';

const LIFETIME_MS = 10 * 60_000;
/** Longer than a code, so that a device is told what became of it. */
const KEPT_MS = 10 * 60_000;
/** Of one agent in one lifetime: the fewer codes there are, the harder one is to guess. */
const MOST_WAITING = 100;
const CODE_BYTES = 32;
const ATTEMPTS = 3;

export interface DeviceEndpointOptions {
  readonly tenant: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly authenticate: Authenticate;
  readonly store: DeviceRequestStore;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly clock: Clock;
  readonly hashOf: (label: 'device-code' | 'user-code', code: string) => string;
  readonly noticeAsked: NoticeAsked;
}

/** Device authorization (RFC 8628 section 3.1): codes for a program without a browser. Throws OAuthFault. */
export function deviceEndpoint(o: DeviceEndpointOptions): Endpoint {
  return {
    path: new RegExp(`^${PATHS.deviceAuthorization}$`),
    methods: ['POST'],
    takesClients: true,
    answer: async (request) => {
      const form = formOf(request);
      const { authorization } = request.headers;
      const client = await o.authenticate(form, { authorization, certificate: null, onClaimed: () => {} });
      const { agent } = client;
      if (!agent.device) {
        throw new OAuthFault('unauthorized_client', 'the device flow is not registered for this client');
      }
      await noticeScopes(form, client, o.noticeAsked);
      const { scope, audience, asked } = readAskedOfPerson(form, agent, o.audiences);
      const now = o.clock.now();
      if ((await o.store.countSince(o.tenant, agent.id, now - LIFETIME_MS)) >= MOST_WAITING) {
        throw tooManyRequests(DEVICE_INTERVAL_MS);
      }
      const deviceCode = randomBytes(CODE_BYTES).toString('base64url');
      const userCode = await o.unitOfWork.run(async (stores) => {
        await useOnce(stores, now, client.once);
        await client.within?.(stores, now);
        for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
          const code = newUserCode();
          const inserted = await stores.deviceRequests.insert({
            tenant: o.tenant,
            codeHash: o.hashOf('device-code', deviceCode),
            userCodeHash: o.hashOf('user-code', code),
            agentId: agent.id,
            scope,
            audience,
            asked: askedToJson(asked),
            status: 'pending',
            grantId: null,
            intervalMs: DEVICE_INTERVAL_MS,
            polledAt: null,
            createdAt: now,
            expiresAt: now + LIFETIME_MS,
          });
          if (inserted) return code;
        }
        throw tooManyRequests(DEVICE_INTERVAL_MS);
      });
      const page = `${o.issuer}${PATHS.device}`;
      return {
        status: 200,
        body: {
          device_code: deviceCode,
          user_code: shownUserCode(userCode),
          verification_uri: page,
          verification_uri_complete: `${page}?user_code=${shownUserCode(userCode)}`,
          expires_in: LIFETIME_MS / 1000,
          interval: DEVICE_INTERVAL_MS / 1000,
        },
      };
    },
  };
}

export { KEPT_MS as DEVICE_KEPT_MS };
