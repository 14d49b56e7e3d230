import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import {
  type AdminRole,
  type AdminTokenRecord,
  AdminTokens,
  createAdminApi,
} from '../../../src/admin/index.ts';
import type { AuditEvent } from '../../../src/core/index.ts';
import { fakeRooms } from './fake-rooms.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; null when it is none. */
  readonly json: Readonly<Record<string, unknown>> | null;
}

/** A real control plane over real sockets, with rooms in memory behind it. */
export async function startAdminApi() {
  const events: AuditEvent[] = [];
  const faults: unknown[] = [];
  const audit = async (event: AuditEvent): Promise<void> => {
    events.push(event);
  };
  const clock = { now: () => Date.now() };
  const tokens = new AdminTokens({ store: memoryTokens(), pepper: randomBytes(32), clock, audit });
  const fakes = fakeRooms(tokens);
  const app = express();
  app.use(
    '/admin/v1',
    createAdminApi({
      rooms: fakes.rooms,
      tokens,
      audit,
      clock,
      hostNames: ['127.0.0.1', 'localhost'],
      tenant: 'default',
      onFault: (fault) => faults.push(fault),
    }),
  );
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const tokenOf = async (role: AdminRole): Promise<string> => {
    const wanted = {
      tenant: 'default',
      name: `${role}-${randomBytes(4).toString('hex')}`,
      role,
      expiresAt: null,
    };
    return (await tokens.create(wanted, 'test')).token;
  };
  const send = (
    method: string,
    path: string,
    o: {
      token?: string;
      headers?: Record<string, string | string[]>;
      body?: unknown;
      raw?: string | Buffer;
    } = {},
  ): Promise<Answer> => {
    const raw = o.raw ?? (o.body === undefined ? undefined : JSON.stringify(o.body));
    const headers = {
      ...(o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }),
      ...(raw === undefined ? {} : { 'content-type': 'application/json' }),
      ...o.headers,
    };
    return exchange({ port, method, path: `/admin/v1${path}`, headers, raw });
  };
  return {
    ...fakes,
    tokens,
    events,
    faults,
    port,
    tokenOf,
    send,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function exchange(o: {
  port: number;
  method: string;
  path: string;
  headers: Record<string, string | string[]>;
  raw: string | Buffer | undefined;
}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: o.port,
      method: o.method,
      path: o.path,
      headers: o.headers,
    });
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

export function memoryTokens() {
  const tokens = new Map<string, AdminTokenRecord>();
  return {
    async insert(token: AdminTokenRecord) {
      if ([...tokens.values()].some(({ name }) => name === token.name)) return false;
      tokens.set(token.id, token);
      return true;
    },
    byHash: async (hash: string) => [...tokens.values()].find((token) => token.hash === hash) ?? null,
    list: async () => [...tokens.values()],
    delete: async (_: string, id: string) => tokens.delete(id),
    count: async () => tokens.size,
  };
}
