import {
  type CallBody,
  type Door,
  type HttpCall,
  type Origin,
  type PresentedPassport,
  Refusal,
  type Service,
  type ServiceDirectory,
} from '../../core/index.ts';
import type { VerifiedPassport } from '../../passport/index.ts';
import type { BodySource } from './body-source.ts';
import { canonicalPath } from './canonical-path.ts';
import { endToEndFields } from './fields.ts';
import type { RequestHead } from './request-head.ts';
import { canonicalQuery, splitTarget } from './target.ts';

/** What shows who calls: a passport in this request, or the one that opened the tunnel it came through. */
export type Showing =
  | { readonly kind: 'presented'; readonly presented: PresentedPassport | null }
  | { readonly kind: 'tunnel'; readonly passport: VerifiedPassport; readonly token: string | null };

export type Destination =
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'origin'; readonly origin: Origin };

/**
 * A well-formed request at one of the doors. It becomes a `Call` once the passport is known: the tenant in it
 * decides which services there are, and strangers learn nothing about them.
 */
export interface Arrival {
  readonly id: string;
  readonly door: Exclude<Door, 'decide'>;
  readonly receivedAt: number;
  readonly head: RequestHead;
  readonly showing: Showing;
  readonly destination: Destination;
  /** Path and query as they were sent, without the door's own prefix. */
  readonly rest: string;
  readonly body: BodySource;
  readonly remote: string | null;
}

/** Step 0, second half: the one canonical request. Throws `service_unknown`, `path_not_canonical`, … */
export function toCall(arrival: Arrival, tenant: string, services: ServiceDirectory): HttpCall {
  const { service, origin } = findDestination(arrival.destination, tenant, services);
  const { path, query } = splitTarget(arrival.rest);
  const { showing } = arrival;
  const token = showing.kind === 'tunnel' ? showing.token : (showing.presented?.token ?? null);
  return {
    kind: 'http',
    id: arrival.id,
    tenant,
    door: arrival.door,
    receivedAt: arrival.receivedAt,
    service,
    origin,
    method: arrival.head.method,
    path: canonicalPath(path, service),
    query: canonicalQuery(query),
    headers: endToEndFields(arrival.head.headers, arrival.head.connectionOptions, token),
    body: bodyOf(arrival.body),
  };
}

/** The words of an arrival that a decoy could stand in, when it is for a place that is no service's; else null. */
export function strayText(arrival: Arrival, tenant: string, services: ServiceDirectory): string | null {
  const { destination, head, rest } = arrival;
  if (destination.kind !== 'origin' || services.byOrigin(tenant, destination.origin) !== null) return null;
  const fields = head.headers.map(([name, value]) => `${name}: ${value}`);
  return [`${destination.origin.host}${rest}`, ...fields].join('\n');
}

function bodyOf(body: BodySource): CallBody {
  return body.isEmpty ? { kind: 'none' } : { kind: 'stream', length: body.length, stream: body };
}

function findDestination(
  destination: Destination,
  tenant: string,
  services: ServiceDirectory,
): { readonly service: Service; readonly origin: Origin } {
  if (destination.kind === 'origin') {
    const service = services.byOrigin(tenant, destination.origin);
    if (service !== null) return { service, origin: destination.origin };
  } else {
    const service = services.byName(tenant, destination.name);
    const origin = service?.origins[0];
    if (service !== null && origin !== undefined) return { service, origin };
  }
  throw new Refusal('service_unknown');
}
