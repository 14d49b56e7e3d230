import { type JsonObject, toSeconds } from '../../core/index.ts';
import type { AgentView } from '../agent-view.ts';
import {
  bearerToken,
  type Endpoint,
  type EndpointAnswer,
  type EndpointRequest,
  readJsonBody,
} from '../endpoint.ts';
import { PATHS } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { type AskedRegistration, type OfferedGrants, readRegistration } from './client-metadata.ts';
import type { Registrations } from './registrations.ts';

export interface RegistrationEndpointsOptions extends OfferedGrants {
  readonly issuer: string;
  readonly registrations: Registrations;
  readonly boundOnly: boolean;
}

/** Dynamic client registration (RFC 7591) and its management (RFC 7592). */
export function registrationEndpoints(o: RegistrationEndpointsOptions): readonly Endpoint[] {
  return [
    {
      path: new RegExp(`^${PATHS.registration}$`),
      methods: ['POST'],
      answer: (request) => register(request, o),
    },
    {
      path: new RegExp(`^${PATHS.registration}/(?<id>agent_[a-z0-9]{1,64})$`),
      methods: ['GET', 'PUT', 'DELETE'],
      answer: (request) => manage(request, o),
    },
  ];
}

async function register(request: EndpointRequest, o: RegistrationEndpointsOptions): Promise<EndpointAnswer> {
  const token = bearerToken(request);
  const asked = readRegistration(readJsonBody(request), o);
  const { agent, secret, registrationToken } = await o.registrations.enrol(token, {
    name: asked.name ?? 'client',
    nameIsAHint: true,
    scopes: asked.scopes,
    jwks: asked.jwks,
    withSecret: asked.authMethod.startsWith('client_secret'),
    redirectUris: asked.redirectUris,
    device: asked.device,
    publicClient: asked.authMethod === 'none',
  });
  const shown = secret === null ? null : secret.use((bytes) => Buffer.from(bytes).toString('utf8'));
  secret?.wipe();
  return {
    status: 201,
    body: {
      ...describe(agent, asked.authMethod, o),
      ...(shown === null ? {} : { client_secret: shown, client_secret_expires_at: 0 }),
      registration_access_token: registrationToken,
    },
  };
}

async function manage(request: EndpointRequest, o: RegistrationEndpointsOptions): Promise<EndpointAnswer> {
  const { id = '' } = request.params;
  const token = bearerToken(request);
  switch (request.method) {
    case 'DELETE':
      await o.registrations.leave(id, token);
      return { status: 204, body: null };
    case 'PUT':
      return update(id, token, request, o);
    default: {
      const agent = await o.registrations.read(id, token);
      return { status: 200, body: describe(agent, methodOf(agent), o) };
    }
  }
}

/** RFC 7592 section 2.2. What is left out stays, and nothing can be added: it is less, or other keys. */
async function update(
  id: string,
  token: string,
  request: EndpointRequest,
  o: RegistrationEndpointsOptions,
): Promise<EndpointAnswer> {
  const body = readJsonBody(request);
  if (body.client_id !== id) throw new OAuthFault('invalid_request', 'client_id is missing, or another one');
  const ours = [
    'registration_access_token',
    'registration_client_uri',
    'client_secret_expires_at',
    'client_id_issued_at',
  ];
  const written = ours.find((name) => body[name] !== undefined);
  if (written !== undefined)
    throw new OAuthFault('invalid_request', `${written} is written by the server alone`);
  if (body.client_secret !== undefined) {
    throw new OAuthFault('invalid_request', 'a client secret is made by the server alone');
  }
  const asked = readRegistration(body, o);
  const { agent, registrationToken } = await o.registrations.change(id, token, asked);
  return {
    status: 200,
    body: { ...describe(agent, methodOf(agent), o), registration_access_token: registrationToken },
  };
}

function methodOf(agent: AgentView): AskedRegistration['authMethod'] {
  if (agent.publicClient) return 'none';
  return agent.jwks.length > 0 ? 'private_key_jwt' : 'client_secret_basic';
}

function grantsOf(agent: AgentView, o: RegistrationEndpointsOptions): readonly string[] {
  const ofPeople = [
    ...(agent.redirectUris.length > 0 ? ['authorization_code'] : []),
    ...(agent.device ? ['urn:ietf:params:oauth:grant-type:device_code'] : []),
  ];
  return [
    ...(agent.publicClient ? [] : o.grants),
    ...ofPeople,
    ...(ofPeople.length > 0 ? ['refresh_token'] : []),
  ];
}

function describe(
  agent: AgentView,
  method: AskedRegistration['authMethod'],
  o: RegistrationEndpointsOptions,
): JsonObject {
  return {
    client_id: agent.id,
    client_id_issued_at: toSeconds(agent.createdAt),
    client_name: agent.name,
    scope: agent.scopes.join(' '),
    token_endpoint_auth_method: method,
    grant_types: grantsOf(agent, o),
    response_types: agent.redirectUris.length > 0 ? ['code'] : [],
    redirect_uris: agent.redirectUris,
    dpop_bound_access_tokens: o.boundOnly,
    ...(agent.jwks.length === 0 ? {} : { jwks: { keys: agent.jwks } }),
    registration_client_uri: `${o.issuer}${PATHS.registration}/${agent.id}`,
  };
}
