import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { objectOf, type startAdminApi } from '../unit/admin/api-server.ts';
import { makeProof, newKey, post } from '../unit/passport/support.ts';

type Api = Awaited<ReturnType<typeof startAdminApi>>;

const CIBA = 'urn:openid:params:grant-type:ciba';
const HELD = `
@id("change") @hold("A person looks at every change of the shop.")
permit (principal, action == Action::"http.call", resource)
when { context.method == "POST" };
@id("deletion") @hold("Two people look at every deletion.") @approvers("2")
permit (principal, action == Action::"http.call", resource)
when { context.method == "DELETE" };
`;

/** A shop behind a gate that holds every change of it, and agents that act there in people's names. */
export async function openShop(api: Api) {
  const upstream = createServer((request, response) => response.end(`done ${request.method}`)).listen(
    0,
    '127.0.0.1',
  );
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const admin = async (method: string, path: string, body: unknown) => {
    const answer = await api.send(method, path, { token: api.token, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  };
  await appendFile(join(api.home, 'policies', 'shop.cedar'), HELD);
  await admin('POST', '/policies/reload', {});
  const origins = [`http://127.0.0.1:${port}`];
  await admin('PUT', '/services/shop', { origins, allowPrivate: true });
  return {
    newAgent: (name: string, purpose: string | null = null) => openAgent(api, admin, name, purpose),
    close: () => upstream.close(),
  };
}

async function openAgent(
  api: Api,
  admin: (method: string, path: string, body: unknown) => Promise<Readonly<Record<string, unknown>> | null>,
  name: string,
  purpose: string | null,
) {
  const wanted = { name, owner: 'shop-team', scopes: ['shop:read', 'shop:write'], purpose, withSecret: true };
  const made = await admin('POST', '/agents', wanted);
  const id = String(objectOf(made?.agent).id);
  const client = { client_id: id, client_secret: String(made?.secret) };
  const key = await newKey();

  /** Asks a person for a passport; the id of the question, and of the approval. */
  const ask = async (user: string, more: Readonly<Record<string, string>> = {}) => {
    const form = { ...client, login_hint: user, scope: 'openid shop:read shop:write', ...more };
    const { status, body } = await post(`${api.controlUrl}/bc-authorize`, { form });
    if (status !== 200) throw new Error(`bc-authorize: ${status} ${JSON.stringify(body)}`);
    return String(body.auth_req_id);
  };
  const redeem = async (question: string) => {
    const proof = await makeProof(key, { htm: 'POST', htu: `${api.controlUrl}/token` });
    const form = { ...client, grant_type: CIBA, auth_req_id: question };
    return post(`${api.controlUrl}/token`, { form, headers: { dpop: proof } });
  };
  /** Calls the shop with a passport. */
  const call = async (passport: string, method: string, path: string, body?: string) => {
    const url = `${api.gatewayUrl}/s/shop${path}`;
    const htu = url.split('?')[0] ?? '';
    const answer = await fetch(url, {
      method,
      headers: {
        authorization: `DPoP ${passport}`,
        dpop: await makeProof(key, { htm: method, htu, accessToken: passport }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return { status: answer.status, text, json: isJson ? objectOf(JSON.parse(text)) : {} };
  };
  return { id, name, ask, redeem, call };
}
