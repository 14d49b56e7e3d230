import type { Access } from './access.ts';
import { AccessFault } from './access-fault.ts';
import { ResourceServer, type ResourceServerOptions } from './resource-server.ts';

/** What is used of a request of express, or of anything shaped like it. */
export interface ExpressRequest {
  readonly method: string;
  readonly originalUrl: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Every field as it came: two of a name are told from one. */
  readonly rawHeaders?: readonly string[];
  /** Who calls; set by the middleware. */
  passport?: Access;
}

export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (fault?: unknown) => void,
) => void;

/**
 * Express middleware that lets requests with a good passport through, as `request.passport`, and answers all
 * others:
 *
 * ```js
 * import { requirePassport } from 'sallyport/sdk';
 * app.use(requirePassport({ issuer: 'https://gate.example.com', audience: 'https://api.example.com' }));
 * app.get('/me', (request, response) => response.json({ actor: request.passport.actor }));
 * ```
 */
export function requirePassport(
  o: ResourceServerOptions & { readonly scopes?: readonly string[] },
): ExpressMiddleware {
  const server = new ResourceServer(o);
  return (request, response, next) => {
    const { method, originalUrl: url } = request;
    server.verify({ method, url, headers: fieldsOf(request) }).then(
      (access) => {
        try {
          if (o.scopes !== undefined) access.require({ scopes: o.scopes });
        } catch (fault) {
          answer(fault, response, next);
          return;
        }
        request.passport = access;
        next();
      },
      (fault: unknown) => answer(fault, response, next),
    );
  };
}

function answer(fault: unknown, response: ExpressResponse, next: (fault?: unknown) => void): void {
  if (!(fault instanceof AccessFault)) {
    next(fault);
    return;
  }
  response.statusCode = fault.status;
  if (fault.challenge !== null) response.setHeader('www-authenticate', fault.challenge);
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.end(JSON.stringify({ error: fault.code, error_description: fault.message }));
}

/** Node keeps the first of two Authorization fields and drops the other; here both count. */
function fieldsOf({ headers, rawHeaders }: ExpressRequest): Record<string, readonly string[]> {
  const found: Record<string, string[]> = Object.create(null);
  if (rawHeaders === undefined) {
    for (const [name, value] of Object.entries(headers))
      found[name] = value === undefined ? [] : [value].flat();
    return found;
  }
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    found[name] = [...(found[name] ?? []), rawHeaders[at + 1] ?? ''];
  }
  return found;
}
