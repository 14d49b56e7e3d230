import { decodeBase64url } from '../../proof/index.ts';
import {
  bearerToken,
  type EndpointAnswer,
  type EndpointRequest,
  readJsonBody,
  textMember,
} from '../endpoint.ts';
import type { Registrations } from '../enrol/registrations.ts';
import { PATHS } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';

const HANDLE = /^[a-z0-9_-]{3,63}$/;
const KEY_BYTES = 32;

/**
 * Registers an agent by handle and Ed25519 key, with an initial access token as its bearer token. The answer also
 * has a registration access token: whoever loses his key puts in another one with it and stays who he is.
 */
export async function registerAgent(
  request: EndpointRequest,
  o: { readonly issuer: string; readonly registrations: Registrations },
): Promise<EndpointAnswer> {
  const token = bearerToken(request);
  const body = readJsonBody(request);
  const handle = textMember(body, 'handle', 64);
  if (!HANDLE.test(handle)) {
    throw new OAuthFault('invalid_client_metadata', 'handle is 3 to 63 lower-case letters, digits, - and _');
  }
  const { agent, registrationToken } = await o.registrations.enrol(token, {
    name: handle.replaceAll('_', '-'),
    nameIsAHint: false,
    scopes: null,
    jwks: [{ kty: 'OKP', crv: 'Ed25519', x: keyOf(textMember(body, 'publicKeyB64', 100)) }],
    withSecret: false,
  });
  const shown = { id: agent.id, handle: agent.name, status: agent.status, scopes: agent.scopes };
  return {
    status: 201,
    body: {
      // Clients of Agent Passport read the one or the other.
      agentId: agent.id,
      agent: shown,
      registrationAccessToken: registrationToken,
      registrationClientUri: `${o.issuer}${PATHS.registration}/${agent.id}`,
    },
  };
}

function keyOf(base64: string): string {
  const text = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  if (decodeBase64url(text)?.length !== KEY_BYTES) {
    throw new OAuthFault('invalid_client_metadata', 'publicKeyB64 is an Ed25519 key of 32 bytes in base64');
  }
  return text;
}
