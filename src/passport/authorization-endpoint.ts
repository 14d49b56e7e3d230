import type { Endpoint } from './endpoint.ts';
import { PATHS } from './metadata.ts';
import { OAuthFault } from './oauth-fault.ts';

/**
 * Agents here act for themselves or for each other, so there is no response type that could be asked for
 * (`response_types_supported` is empty). The endpoint says that; clients of MCP take no metadata that names none. It
 * sends nobody anywhere: no redirect URI is registered, so none is trusted (RFC 6749 section 4.1.2.1).
 */
export const authorizationEndpoint: Endpoint = {
  path: new RegExp(`^${PATHS.authorization}$`),
  methods: ['GET', 'POST'],
  answer: async () => {
    throw new OAuthFault('unsupported_response_type', 'this issuer offers no response types');
  },
};
