import type { Grant } from '../grants/grant.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { type ForPersonOptions, fetchGrant, invalid } from './issue-for-person.ts';

export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';
export const DEVICE_INTERVAL_MS = 5_000;
const WHAT = 'device code';

/** What a person allowed on another device (RFC 8628 section 3.4); until then, that nobody has decided. */
export function deviceGrant(o: ForPersonOptions): Grant {
  return async (request) => {
    const { form, client } = request;
    const hash = o.hashOf('device-code', form.required('device_code'));
    return o.turns.take(hash, async () => {
      const asked = await o.devices.get(o.tenant, hash);
      if (asked === null || asked.agentId !== client.agent.id) throw invalid(WHAT);
      if (asked.status === 'denied') throw new OAuthFault('access_denied', 'the person said no');
      if (asked.status === 'given') {
        const grant = asked.grantId === null ? null : await o.store.get(o.tenant, asked.grantId);
        if (grant === null) throw invalid(WHAT);
        return fetchGrant(request, grant, { ...o, what: WHAT, grantName: 'device_code' });
      }
      const now = o.clock.now();
      if (asked.expiresAt <= now) throw new OAuthFault('expired_token', 'the device code has expired');
      if (!(await o.devices.poll(asked, now, DEVICE_INTERVAL_MS))) {
        throw new OAuthFault('slow_down', 'ask less often: five seconds more between two requests');
      }
      throw new OAuthFault('authorization_pending', 'nobody has decided yet');
    });
  };
}
