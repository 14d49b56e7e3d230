import type { Receipt } from '../../audit/index.ts';
import { type HeaderList, type HttpCall, type Needles, Refusal } from '../../core/index.ts';
import type { Permit } from '../../policy/index.ts';
import { inject } from '../../vault/index.ts';
import type { PinnedDestination } from '../egress/destination.ts';
import type { Line } from '../line.ts';
import { requestHeadersForScrub } from '../scrub/index.ts';

/** A request as it leaves the gate, and the connection it may use. */
export interface Outbound {
  readonly destination: PinnedDestination;
  readonly upstreamCa: string | null;
  readonly credential: { readonly name: string; readonly version: number } | null;
  readonly headers: HeaderList;
  readonly path: string;
  readonly query: string;
  /** What must not come back; null: no secret was put in. */
  readonly needles: Needles | null;
}

/**
 * Steps 6 and 7, and the first half of 8. The destination is pinned first: a secret is opened only for a place
 * that may be reached. Trust and reach come from what was sealed with the secret, not from the service, so
 * that a changed service can't take it elsewhere (G2).
 */
export async function outboundOf(
  line: Line,
  call: HttpCall,
  permit: Permit,
  receipt: Receipt,
): Promise<Outbound> {
  const { tenant, service, origin, headers, path, query } = call;
  const view = permit.credential === null ? null : line.vault.describe(tenant, permit.credential.name);
  if (view === null) {
    if (permit.credential !== null) throw new Refusal('credential_missing');
    const destination = await line.egress.pin(origin, service);
    return {
      destination,
      upstreamCa: service.upstreamCa,
      credential: null,
      headers,
      path,
      query,
      needles: null,
    };
  }
  const destination = await line.egress.pin(origin, view.binding);
  using opened = line.vault.use(permit, receipt);
  if (view.binding.allowPrivate && !opened.allowPrivate) await line.egress.pin(origin, opened);
  const draft = inject(opened, { headers: requestHeadersForScrub(headers), path, query });
  return {
    destination,
    upstreamCa: opened.upstreamCa,
    credential: { name: opened.name, version: opened.version },
    ...draft,
    needles: line.needles.of(tenant, opened),
  };
}
