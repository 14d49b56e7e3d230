import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateAgentKey } from '../../src/cli/agent-keys.ts';
import { type AgentIdentity, callOnce } from '../../src/cli/relay/index.ts';
import { MIGRATIONS } from '../../src/storage/migrations/index.ts';
import { openStorageWith } from '../../src/storage/open.ts';
import {
  admin,
  newHome,
  removeHome,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.ts';
import { objectOf } from '../unit/admin/api-server.ts';

/** Reports about secrets that came back, or that stood where nobody looked for them. A whole service, as users run it. */

const SECRET = `fake_${crypto.randomUUID().replaceAll('-', '')}`;
let home: string;
let service: ServiceProcess;
let upstream: Server;
let bob: AgentIdentity;
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => {
  response.end();
};
const seen: string[] = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    seen.push(String(request.headers.authorization));
    request.resume();
    request.on('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  home = await newHome();
  service = await startServiceProcess(home);
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  await must('PUT', '/services/echo', { origins: [origin], credential: 'echo-key', allowPrivate: true });
  await must('PUT', '/credentials/echo-key', {
    services: ['echo'],
    injector: { kind: 'bearer' },
    secret: SECRET,
  });
  const { privateJwk, publicJwk } = await generateAgentKey();
  const scopes = ['echo:read', 'echo:write'];
  const made = await must('POST', '/agents', { name: 'bob', owner: 'team', scopes, jwks: [publicJwk] });
  bob = { clientId: String(objectOf(made.agent).id), privateJwk };
});
afterAll(async () => {
  await service?.end('SIGTERM');
  upstream?.close();
  upstream?.closeAllConnections();
  if (home !== undefined) await removeHome(home);
});

async function must(method: string, path: string, body: unknown): Promise<Record<string, unknown>> {
  const { status, json } = await admin(service, method, path, body);
  expect(status, JSON.stringify(json)).toBeLessThan(300);
  return json;
}

/** Everything that the agent gets to see of one call. */
async function call(
  by: typeof answer,
  o: { readonly target?: string; readonly body?: string } = {},
): Promise<string> {
  answer = by;
  const { status, statusText, headers, body } = await callOnce(o.target ?? '/s/echo/x', {
    gatewayUrl: service.gatewayUrl,
    issuerUrl: service.controlUrl,
    agent: bob,
    ...(o.body === undefined ? {} : { method: 'POST', body: Buffer.from(o.body) }),
  });
  const read = (await body.toArray()).map((chunk) => Buffer.from(chunk).toString('latin1')).join('');
  expect(seen.at(-1)).toBe(`Bearer ${SECRET}`);
  return [status, statusText, ...headers.flat(), read].join('\n');
}

const forms = (): readonly string[] => [
  SECRET,
  Buffer.from(SECRET).toString('base64'),
  Buffer.from(SECRET).toString('hex'),
  [...SECRET].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(''),
];

function expectNone(text: string): void {
  for (const form of forms()) expect(text.toLowerCase()).not.toContain(form.toLowerCase());
}

describe('an upstream that hands the key back', () => {
  it('Infisical/agent-vault #258: takes it out of body and fields, in every encoding that is promised', async () => {
    const text = await call((request, response) => {
      response.setHeader('x-echo', String(request.headers.authorization));
      response.end(forms().join('\n'));
    });
    expectNone(text);
    expect(text).toContain('redacted');
  });

  it('denoland/clawpatrol #313: also where the answer is compressed and the error page of a proxy in between', async () => {
    const text = await call((request, response) => {
      const page = `<h1>502</h1><pre>authorization: ${request.headers.authorization}</pre>`;
      response.writeHead(502, { 'content-encoding': 'gzip', 'content-type': 'text/html' });
      response.end(gzipSync(page));
    });
    expectNone(text);
    expect(text).toContain('<h1>502</h1>');
  });

  it('stacklok/toolhive #5293: also out of the result of a tool, event by event', async () => {
    const text = await call((request, response) => {
      const result = {
        jsonrpc: '2.0',
        id: 1,
        result: { content: [{ type: 'text', text: request.headers.authorization }] },
      };
      const bytes = `event: message\ndata: ${JSON.stringify(result)}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.slice(at, at + 7));
      response.end();
    });
    expectNone(text);
    expect(text).toContain('"jsonrpc":"2.0"');
  });

  it('claudecode_webui #1073: also where the answer of a token endpoint repeats the token that was sent', async () => {
    const text = await call((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: SECRET, refresh_token: SECRET, token_type: 'Bearer' }));
    });
    expectNone(text);
    expect(text).toContain('"token_type":"Bearer"');
  });
});

/** Every file of the state folder that holds the text, in any of its forms. */
async function filesWith(texts: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = (await readFile(path)).toString('latin1').toLowerCase();
    if (texts.some((one) => text.includes(one.toLowerCase()))) found.push(path);
  }
  return found;
}

describe('places where secrets gather', () => {
  it('vercel-labs/agent-eval #186: after calls that were echoed, no log, no record and no output holds the key', async () => {
    await call((request, response) => response.end(String(request.headers.authorization)));
    expect(await filesWith(forms())).toEqual([]);
    expectNone(service.output());
  });

  it('Composio (May 2026): no cache keeps a key beside the sealed one, and a revoked key is gone from the disk', async () => {
    expect(await filesWith(forms())).toEqual([]);
    const key = (await readFile(join(home, 'keys/admin-token'), 'utf8')).trim();
    // The search is one that finds: the token of the administrator stands in its own file alone.
    expect(await filesWith([key])).toEqual([join(home, 'keys/admin-token')]);
    const { json } = await admin(service, 'GET', '/credentials/echo-key');
    expectNone(JSON.stringify(json));
  });

  it('OpenBao CVE-2025-62705: bytes and texts that a caller sends stand in no audit record', async () => {
    const sent = `fake-body-${crypto.randomUUID()}`;
    await call((_request, response) => response.end('ok'), { target: `/s/echo/x?token=${sent}`, body: sent });
    const bytes = Buffer.from(sent).toString('base64');
    await admin(service, 'PUT', '/credentials/other', {
      services: ['echo'],
      injector: { kind: 'bearer' },
      secret: sent,
    });
    await admin(service, 'PUT', '/credentials/odd', {
      services: ['echo'],
      injector: { kind: sent },
      secret: sent,
    });
    expect(await filesWith([sent, bytes])).toEqual([]);
  });

  it('Teleport #56630: a token or secret that is refused is not written down either', async () => {
    const wrong = `sp_admin_${'w'.repeat(20)}${crypto.randomUUID()}`;
    const answered = await fetch(`${service.controlUrl}/admin/v1/agents`, {
      headers: { authorization: `Bearer ${wrong}` },
    });
    expect(answered.status).toBe(401);
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'agent_x',
      client_secret: wrong,
    });
    expect((await fetch(`${service.controlUrl}/token`, { method: 'POST', body: form })).status).toBe(401);
    const passport = await fetch(`${service.gatewayUrl}/s/echo/x`, {
      headers: { authorization: `DPoP ${wrong}` },
    });
    expect(passport.status).toBe(401);
    expect(await filesWith([wrong])).toEqual([]);
    expect(service.output()).not.toContain(wrong);
  });
});

describe('parts that are not of one age', () => {
  it('Infisical #8130 (config skew): an older program does not run on rules that it does not know', async () => {
    const place = { kind: 'sqlite', file: join(home, 'skew.db'), durability: 'process' } as const;
    const restriction = {
      number: MIGRATIONS.length + 1,
      name: 'paths-of-credentials',
      statements: () => ['alter table credentials add column paths text'],
    };
    await (await openStorageWith(place, [...MIGRATIONS, restriction])).close();
    await expect(openStorageWith(place, MIGRATIONS)).rejects.toThrow(/written by a newer Sallyport/);
  });

  it('Infisical #8130 (config skew): a restriction that the program does not know is refused, not ignored', async () => {
    const binding = {
      services: ['echo'],
      injector: { kind: 'bearer' },
      secret: 'fake-secret-of-a-test',
      paths: ['/only'],
    };
    expect((await admin(service, 'PUT', '/credentials/narrow', binding)).json.code).toBe('input_invalid');
    const put = await admin(service, 'PUT', '/services/narrow', {
      origins: ['https://api.example'],
      methods: ['GET'],
    });
    expect(put.json.code).toBe('input_invalid');
  });
});
