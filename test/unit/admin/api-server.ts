import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AdminRole } from '../../../src/admin/index.ts';
import { startTestService } from '../../support/service.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; null when it is none. */
  readonly json: Readonly<Record<string, unknown>> | null;
}

export interface Sent {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
  readonly raw?: string | Buffer;
}

/** The admin API of a real service, over real sockets. */
export async function startAdminApi(
  settings: Readonly<Record<string, string>> = {},
  o: { readonly byName?: boolean; readonly port?: number } = {},
) {
  const service = await startTestService(settings, o);
  const port = Number(new URL(service.controlUrl).port);
  const send = (method: string, path: string, o: Sent = {}): Promise<Answer> => {
    const raw = o.raw ?? (o.body === undefined ? undefined : JSON.stringify(o.body));
    const headers = {
      ...(o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }),
      ...(raw === undefined ? {} : { 'content-type': 'application/json' }),
      ...o.headers,
    };
    return exchange({ port, method, path: `/admin/v1${path}`, headers, raw });
  };
  const tokenOf = async (role: AdminRole): Promise<string> => {
    const made = await send('POST', '/tokens', { token: service.token, body: { name: `the-${role}`, role } });
    return String(made.json?.token);
  };
  /** Events of this type in the audit log, oldest first. */
  const events = async (type: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const { json } = await send('GET', `/audit/records?after=0&limit=1000&type=${type}`, {
      token: service.token,
    });
    return listOf(json, 'items').map(({ event }) => objectOf(objectOf(event).data));
  };
  return { ...service, port, send, tokenOf, events };
}

export function listOf(
  json: Readonly<Record<string, unknown>> | null,
  member: string,
): Readonly<Record<string, unknown>>[] {
  const list = json?.[member];
  if (!Array.isArray(list)) throw new Error(`no list ${member} in ${JSON.stringify(json)}`);
  return list;
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error(`no object: ${JSON.stringify(value)}`);
  return Object.fromEntries(Object.entries(value));
}

function exchange(o: {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly raw: string | Buffer | undefined;
}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port, method, path, headers } = o;
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
    request.once('response', async (response) => {
      let text = '';
      response.setEncoding('utf8');
      for await (const chunk of response) text += chunk;
      const isJson = /json$/.test(response.headers['content-type'] ?? '');
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
        json: isJson ? JSON.parse(text) : null,
      });
    });
    request.once('error', reject);
    request.end(o.raw);
  });
}
