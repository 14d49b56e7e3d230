import type { JsonObject } from '../../core/index.ts';
import type { Endpoint } from './endpoint.ts';

/** `/healthz`: 200 while calls are taken, 503 once the gate closes. */
export function healthEndpoint(isClosing: () => boolean): Endpoint {
  return {
    methods: ['GET', 'HEAD'],
    open: true,
    answer: async () =>
      isClosing() ? { status: 503, body: { status: 'closing' } } : { status: 200, body: { status: 'ok' } },
  };
}

/** `/.well-known/oauth-protected-resource` (RFC 9728): which issuer's passports this gate takes, and how. */
export function resourceEndpoint(metadata: () => JsonObject): Endpoint {
  return {
    methods: ['GET', 'HEAD'],
    open: true,
    answer: async () => ({ status: 200, body: metadata() }),
  };
}
