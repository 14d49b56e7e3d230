import type { JsonObject } from '../../core/index.ts';
import type { Endpoint } from './endpoint.ts';

/** `/healthz`: 200 as long as the process answers. */
export const healthEndpoint: Endpoint = {
  methods: ['GET', 'HEAD'],
  open: true,
  answer: async () => ({ status: 200, body: { status: 'ok' } }),
};

export interface ReadyReport {
  readonly ready: boolean;
  /** Names of parts alone: anyone may ask. */
  readonly parts: Readonly<Record<string, boolean>>;
}

/** `/readyz`: 200 while calls should be sent here, else 503 with the part that is not ready. */
export function readyEndpoint(ask: () => Promise<ReadyReport>): Endpoint {
  return {
    methods: ['GET', 'HEAD'],
    open: true,
    async answer() {
      const { ready, parts } = await ask();
      return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'not_ready', parts } };
    },
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
