import type { Clock } from '../../core/index.ts';
import { type Dial, systemDial } from './connector.ts';
import { EgressGuard, type Resolve } from './destination.ts';
import { guardedSend } from './guarded-send.ts';

const TIMEOUT_MS = 10_000;

/**
 * Sends pings of OpenID CIBA to the places that an administrator named for agents, under the rules of egress. Rejects
 * when the place does not take one: 204 or 200 (CIBA section 10.2); a redirect is none.
 */
export function noticeSender(o: {
  readonly clock: Clock;
  /** Ports of the gate itself. */
  readonly ownPorts: readonly number[];
  readonly resolve?: Resolve;
  readonly dial?: Dial;
}): (ping: {
  readonly url: string;
  readonly allowPrivate: boolean;
  readonly id: string;
  readonly token: string;
}) => Promise<void> {
  const guard = new EgressGuard({
    now: () => o.clock.now(),
    ownPorts: () => o.ownPorts,
    ...(o.resolve === undefined ? {} : { resolve: o.resolve }),
  });
  return async ({ url, allowPrivate, id, token }) => {
    const { status } = await guardedSend(
      { guard, dial: o.dial ?? systemDial },
      {
        url,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ auth_req_id: id }),
        timeoutMs: TIMEOUT_MS,
        allowPrivate,
      },
    );
    if (status !== 204 && status !== 200) throw new Error(`a ping was answered ${status}`);
  };
}
