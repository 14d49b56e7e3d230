import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import http from 'node:http';
import net, { type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRelay, type Relay, RelayFault } from '../../src/cli/relay/index.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { type FakeGate, startFakeGate } from './relay-fake-gate.ts';

let gate: FakeGate;
let relay: Relay;
let notices: string[];

beforeEach(async () => {
  gate = await startFakeGate();
  notices = [];
});
afterEach(async () => {
  await relay?.close();
  await gate.close();
});

const options = () => ({
  gatewayUrl: gate.gatewayUrl,
  issuerUrl: gate.issuerUrl,
  agent: gate.agent,
  onNotice: (sentence: string) => notices.push(sentence),
});
const open = async (): Promise<Relay> => {
  relay = await openRelay(options());
  return relay;
};

const basicOf = (proxyUrl: string) => {
  const { username, password } = new URL(proxyUrl);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
};

/** CONNECT as a client of the relay does it. */
async function connect(authority: string, authorization: string | null = basicOf(relay.proxyUrl)) {
  const request = http.request({
    host: '127.0.0.1',
    port: relay.port,
    method: 'CONNECT',
    path: authority,
    headers: authorization === null ? {} : { 'proxy-authorization': authorization },
    // As git, curl and others: the client may close its own direction first.
    createConnection: () => net.connect({ host: '127.0.0.1', port: relay.port, allowHalfOpen: true }),
  });
  request.end();
  const [response, socket, head]: [http.IncomingMessage, Socket, Buffer] = (await once(
    request,
    'connect',
  )) as never;
  if (head.length > 0) socket.unshift(head);
  return { status: response.statusCode ?? 0, headers: response.headers, socket };
}

/** A request with an absolute target. */
async function viaProxy(
  target: string,
  request: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  trailers: NodeJS.Dict<string>;
}> {
  const outgoing = http.request({
    host: '127.0.0.1',
    port: relay.port,
    path: target,
    method: request.method ?? 'GET',
    headers: { 'proxy-authorization': basicOf(relay.proxyUrl), ...request.headers },
    agent: false,
  });
  // An early refusal leaves the rest of a body unsent.
  outgoing.on('error', () => {});
  outgoing.end(request.body);
  const [response]: http.IncomingMessage[] = await once(outgoing, 'response');
  if (response === undefined) throw new Error('no answer');
  const body = await text(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body, trailers: response.trailers };
}

describe('who may use the relay', () => {
  test('nobody without the password of this run', async () => {
    await open();
    const wrong = `Basic ${Buffer.from('run:wrong').toString('base64')}`;
    for (const authorization of [null, wrong, 'Basic', `Bearer ${basicOf(relay.proxyUrl).slice(6)}`]) {
      const { status, socket } = await connect('api.test:443', authorization);
      expect(status).toBe(407);
      expect(await text(socket)).toContain('This relay serves one program.');
      const headers = { 'proxy-authorization': authorization ?? '' };
      expect((await viaProxy('http://api.test/', { headers })).status).toBe(407);
    }
    expect(gate.shown.map(({ target }) => target)).toEqual(['/v1/ca']);
  });

  test('nobody from another machine', async () => {
    await open();
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address?.family === 'IPv4' && !address.internal);
    for (const address of others) {
      const socket = net.connect(relay.port, address?.address);
      await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
    }
  });

  test('each run has a password of its own', async () => {
    await open();
    const other = await openRelay(options());
    expect(new URL(other.proxyUrl).password).not.toBe(new URL(relay.proxyUrl).password);
    expect(new URL(relay.proxyUrl).password.length).toBeGreaterThanOrEqual(32);
    await other.close();
  });

  test('it is a proxy and nothing else', async () => {
    await open();
    for (const target of ['/', '/s/github/', 'https://api.test/', 'ftp://api.test/']) {
      expect((await viaProxy(target)).status).toBe(400);
    }
    for (const authority of ['api.test', 'user@api.test:443', 'api.test:443/path', '[::1]:https']) {
      expect((await connect(authority)).status).toBe(400);
    }
    expect(gate.shown).toHaveLength(1);
  });
});

describe('a tunnel', () => {
  test('carries HTTPS that the gate intercepts, with the certificates of the environment', async () => {
    await open();
    const { status, socket } = await connect('api.test:443');
    expect(status).toBe(200);
    const ca = await readFile(relay.environment.NODE_EXTRA_CA_CERTS ?? '', 'utf8');
    const secure = tls.connect({ socket, servername: 'api.test', ca: [ca] });
    secure.end('GET /path?q=1 HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n\r\n');
    const answer = await text(secure);
    expect(answer).toContain('GET /path?q=1');
    expect(answer).not.toMatch(/fake-passport|proxy-authorization|sallyport-dpop/i);
  });

  test('shows the passport and one fresh proof, and never the password', async () => {
    await open();
    await Promise.all(Array.from({ length: 5 }, () => connect('api.test:443')));
    const tunnels = gate.shown.filter(({ method }) => method === 'CONNECT');
    expect(tunnels).toHaveLength(5);
    expect(new Set(tunnels.map(({ jti }) => jti)).size).toBe(5);
    expect(JSON.stringify(gate.shown)).not.toContain(basicOf(relay.proxyUrl));
    expect(JSON.stringify(gate.shown)).not.toContain(new URL(relay.proxyUrl).password);
  });

  test('passes on what came together with the heads, in both directions', async () => {
    gate.knobs.raw = (socket) => {
      socket.write('first ');
      socket.pipe(socket);
    };
    await open();
    const socket = net.connect(relay.port, '127.0.0.1');
    const authorization = `proxy-authorization: ${basicOf(relay.proxyUrl)}`;
    socket.end(`CONNECT api.test:443 HTTP/1.1\r\nhost: api.test:443\r\n${authorization}\r\n\r\nsecond`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 [^\r]*\r\n\r\nfirst second$/);
  });

  test('closes each direction by itself', async () => {
    gate.knobs.raw = async (socket) => {
      const received = await text(socket);
      await pause(50);
      socket.end(`${received.length} bytes arrived`);
    };
    await open();
    const { socket } = await connect('api.test:443');
    socket.end('x'.repeat(300_000));
    expect(await text(socket)).toBe('300000 bytes arrived');
  });

  test('lets the client go on sending after the gate has finished', async () => {
    let received = '';
    gate.knobs.raw = async (socket) => {
      socket.end('that is all from here');
      received = await text(socket);
    };
    await open();
    const { socket } = await connect('api.test:443');
    expect(await text(socket)).toBe('that is all from here');
    socket.end('still sending');
    await expect.poll(() => received).toBe('still sending');
  });

  test('makes a fast sender wait for a slow reader', async () => {
    let sent = 0;
    gate.knobs.raw = (socket) => {
      const fill = () => {
        while (sent < 200_000_000) {
          sent += 65_536;
          if (!socket.write(Buffer.alloc(65_536))) return;
        }
        socket.end();
      };
      socket.on('drain', fill);
      fill();
    };
    await open();
    const { socket } = await connect('api.test:443');
    socket.pause();
    // Until two looks see the same: then everybody waits.
    for (let before = -1; before !== sent; await pause(300)) before = sent;
    expect(sent).toBeLessThan(40_000_000);
    let received = 0;
    for await (const chunk of socket) received += chunk.length;
    expect(received).toBe(sent);
    expect(sent).toBeGreaterThanOrEqual(200_000_000);
  });

  test('breaks when the gate breaks it, and leaves the gate nothing when the client goes', async () => {
    let cut = () => {};
    gate.knobs.raw = (socket) => {
      socket.write('begun');
      cut = () => (socket as Socket).resetAndDestroy();
    };
    await open();
    const first = await connect('api.test:443');
    await once(first.socket, 'data');
    const broken = once(first.socket.resume(), 'end');
    cut();
    await expect(broken).rejects.toThrow('ECONNRESET');
    const second = await connect('api.test:443');
    await once(second.socket, 'data');
    second.socket.resetAndDestroy();
    await expect.poll(() => gate.openSockets.size).toBe(0);
  });

  test('is refused in the words of the gate', async () => {
    await open();
    gate.knobs.refuse = 403;
    const { status, headers, socket } = await connect('api.test:443');
    expect(status).toBe(403);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(await text(socket))).toMatchObject({ code: 'policy_denied' });
  });
});

describe('a request with an absolute target', () => {
  test('reaches the gate as it came, with its own proof, without what belongs to the connection', async () => {
    await open();
    const headers = {
      'x-one': 'kept',
      connection: 'close, x-hop',
      'x-hop': 'dropped',
      'sallyport-dpop': 'forged',
    };
    const { status, body } = await viaProxy('http://api.test/a/../b?q=%2F#f', { headers });
    expect(status).toBe(200);
    const call = gate.shown.at(-1);
    expect(call?.target).toBe('http://api.test/a/../b?q=%2F#f');
    expect(body).toContain('"x-one":"kept"');
    expect(body).not.toMatch(/x-hop|forged/);
    expect(
      call?.rawHeaders.filter((name) => /^(proxy-authorization|sallyport-dpop)$/i.test(name)),
    ).toHaveLength(2);
  });

  test('streams its body, chunked or counted, and keeps methods without one without one', async () => {
    await open();
    const big = 'y'.repeat(3_000_000);
    const counted = await viaProxy('http://api.test/', { method: 'POST', body: big });
    expect(counted.body.endsWith(big)).toBe(true);
    const chunked = await viaProxy('http://api.test/', {
      method: 'PUT',
      headers: { 'transfer-encoding': 'chunked' },
      body: big,
    });
    expect(chunked.body.endsWith(big)).toBe(true);
    expect(chunked.body).toContain('"transfer-encoding":"chunked"');
    const empty = await viaProxy('http://api.test/', { method: 'DELETE' });
    expect(empty.body).not.toContain('chunked');
    expect((await viaProxy('http://api.test/', { method: 'HEAD' })).body).toBe('');
  });

  test('brings fields, repeated ones too, and trailers back', async () => {
    gate.knobs.serve = (_, response) => {
      response.writeHead(201, [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['trailer', 'x-sum'],
      ]);
      response.write('body');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    };
    await open();
    const { status, headers, body, trailers } = await viaProxy('http://api.test/');
    expect([status, body, headers['set-cookie'], trailers]).toEqual([
      201,
      'body',
      ['a=1', 'b=2'],
      { 'x-sum': '42' },
    ]);
  });

  test('never makes a cut answer look whole', async () => {
    gate.knobs.serve = (_, response) => {
      response.write('half of ');
      setTimeout(() => response.destroy(), 50);
    };
    await open();
    await expect(viaProxy('http://api.test/')).rejects.toThrow('aborted');
  });

  test('shows a refusal that comes before the body was sent', async () => {
    await open();
    gate.knobs.refuse = 403;
    const refused = await viaProxy('http://api.test/', { method: 'POST', body: 'z'.repeat(5_000_000) });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'policy_denied' });
    expect(refused.headers['content-type']).toBe('application/problem+json');
  });

  test('ends at the gate when the client goes away', async () => {
    let gone = false;
    gate.knobs.serve = (request, response) => {
      response.write('begun');
      request.once('close', () => {
        gone = true;
      });
    };
    await open();
    const request = http.get({
      host: '127.0.0.1',
      port: relay.port,
      path: 'http://api.test/',
      headers: { 'proxy-authorization': basicOf(relay.proxyUrl) },
    });
    request.on('error', () => {});
    const [response]: http.IncomingMessage[] = await once(request, 'response');
    response?.destroy();
    await expect.poll(() => gone).toBe(true);
  });
});

describe('the passport', () => {
  test('is asked for as the agent, for the gateway, and shared by all calls', async () => {
    await open();
    await Promise.all(Array.from({ length: 20 }, () => viaProxy('http://api.test/')));
    expect(gate.tokenRequests).toHaveLength(1);
    expect(gate.tokenRequests[0]?.get('grant_type')).toBe('client_credentials');
    expect(gate.tokenRequests[0]?.get('resource')).toBe(gate.gatewayUrl);
  });

  test('is renewed before it expires, so that no call fails', async () => {
    gate.knobs.passportLifetimeSeconds = 4;
    await open();
    for (let call = 0; call < 30; call += 1) {
      expect((await viaProxy('http://api.test/')).status).toBe(200);
      await pause(200);
    }
    expect(new Set(gate.shown.map(({ passport }) => passport)).size).toBeGreaterThan(1);
  });

  test('that can not be renewed is said, and then calls are refused with the reason', async () => {
    gate.knobs.passportLifetimeSeconds = 3;
    await open();
    gate.knobs.issuerError = 'invalid_client';
    await expect.poll(async () => (await viaProxy('http://api.test/')).status, { timeout: 10_000 }).toBe(502);
    expect((await viaProxy('http://api.test/')).body).toContain('invalid_client');
    expect((await connect('api.test:443')).status).toBe(502);
    expect(notices[0]).toMatch(/^the passport was not renewed: the issuer at .* \(invalid_client\)$/);
    gate.knobs.issuerError = null;
    await expect.poll(async () => (await viaProxy('http://api.test/')).status, { timeout: 10_000 }).toBe(200);
  });

  test('and its proofs carry the nonces that issuer and gateway ask for', async () => {
    gate.knobs.issuerNonce = 'issuer-nonce';
    gate.knobs.gatewayNonce = 'first';
    await open();
    gate.knobs.gatewayNonce = 'second';
    expect((await connect('api.test:443')).status).toBe(200);
    gate.knobs.gatewayNonce = 'third';
    expect((await viaProxy('http://api.test/')).status).toBe(200);
  });
});

describe('the certificate authority of the gate', () => {
  test('stands beside the system roots in files of this run, which go with it', async () => {
    await open();
    const file = relay.environment.SSL_CERT_FILE ?? '';
    const bundle = await readFile(file, 'utf8');
    expect(bundle).toContain(gate.certificates[0]?.trim());
    expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(20);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700);
    await relay.close();
    await expect(stat(dirname(file))).rejects.toThrow('ENOENT');
  });

  test('is renewed before it expires', async () => {
    gate.knobs.authorityLifetimeMs = 900;
    await open();
    const file = relay.environment.SSL_CERT_FILE ?? '';
    await expect.poll(() => gate.certificates.length, { timeout: 10_000 }).toBeGreaterThan(2);
    await expect
      .poll(async () => (await readFile(file, 'utf8')).includes(gate.certificates.at(-1) ?? '-'))
      .toBe(true);
  });
});

describe('hosts of the certificate authority', () => {
  test('follow the services: a new one is asked for once, before the tunnel to it opens', async () => {
    await open();
    gate.knobs.hosts = ['api.test', 'new.test'];
    expect((await connect('new.test:443')).status).toBe(200);
    expect(relay.hosts).toEqual(['api.test', 'new.test']);
    expect(await readFile(relay.environment.SSL_CERT_FILE ?? '', 'utf8')).toContain(
      gate.certificates[1]?.trim(),
    );
    await Promise.all([connect('new.test:443'), connect('api.test:443'), connect('plain.test:80')]);
    await connect('plain.test:80');
    expect(gate.certificates).toHaveLength(3);
  });

  test('may be none: then http works, and a sentence says so', async () => {
    gate.knobs.hosts = [];
    await open();
    expect((await viaProxy('http://api.test/')).status).toBe(200);
    expect(notices.join()).toContain('no service of this agent has an https address');
    expect(await readFile(relay.environment.SSL_CERT_FILE ?? '', 'utf8')).toContain('BEGIN CERTIFICATE');
  });
});

describe('a gateway behind TLS', () => {
  const trusted = tls.getCACertificates('default');
  let front: tls.Server;

  beforeEach(async () => {
    const authority = await makeTestAuthority();
    tls.setDefaultCACertificates([...trusted, authority.certificatePem]);
    const { hostname: host, port } = new URL(gate.gatewayUrl);
    front = tls.createServer({ ...(await authority.issue('127.0.0.1')), allowHalfOpen: true }, (outside) => {
      const inside = net.connect({ host, port: Number(port), allowHalfOpen: true });
      outside.pipe(inside).pipe(outside);
      outside.on('error', () => inside.destroy());
      inside.on('error', () => outside.destroy());
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    gate.knobs.publicUrl = `https://127.0.0.1:${(front.address() as net.AddressInfo).port}`;
  });
  afterEach(() => {
    tls.setDefaultCACertificates(trusted);
    front.close();
  });

  test('is spoken to over TLS, tunnels and their half-close included', async () => {
    gate.knobs.raw = async (socket) => {
      socket.end(`${(await text(socket)).length} bytes arrived`);
    };
    relay = await openRelay({ ...options(), gatewayUrl: gate.knobs.publicUrl ?? '' });
    expect((await viaProxy('http://api.test/')).status).toBe(200);
    const { socket } = await connect('api.test:443');
    socket.end('x'.repeat(300_000));
    expect(await text(socket)).toBe('300000 bytes arrived');
  });

  test('is not spoken to when its certificate is not trusted', async () => {
    tls.setDefaultCACertificates(trusted);
    const begun = openRelay({ ...options(), gatewayUrl: gate.knobs.publicUrl ?? '' });
    await expect(begun).rejects.toMatchObject({ code: 'gateway_unreachable' });
    expect(gate.shown).toEqual([]);
  });
});

describe('a relay that can not begin', () => {
  const fault = async (changes: Partial<Parameters<typeof openRelay>[0]> = {}): Promise<RelayFault> => {
    const caught = await openRelay({ ...options(), ...changes }).catch((cause: unknown) => cause);
    if (!(caught instanceof RelayFault)) throw new Error('it began');
    return caught;
  };

  test('says who refused what', async () => {
    gate.knobs.issuerError = 'unauthorized_client';
    expect(await fault()).toMatchObject({ code: 'issuer_refused' });
    gate.knobs.issuerError = null;
    gate.knobs.refuse = 403;
    expect(await fault()).toMatchObject({ code: 'gateway_refused' });
  });

  test('says who can not be reached', async () => {
    expect(await fault({ issuerUrl: 'http://127.0.0.1:1' })).toMatchObject({ code: 'issuer_unreachable' });
    expect(await fault({ gatewayUrl: 'http://127.0.0.1:1' })).toMatchObject({ code: 'gateway_unreachable' });
  });

  test('takes no token that is not bound to its key', async () => {
    gate.knobs.tokenType = 'Bearer';
    const { code, message } = await fault();
    expect(code).toBe('issuer_malformed');
    expect(message).toContain('not bound');
  });

  test('takes no metadata of another issuer, nor another server for an issuer', async () => {
    const { port } = new URL(gate.issuerUrl);
    expect((await fault({ issuerUrl: `http://localhost:${port}` })).code).toBe('issuer_malformed');
    expect((await fault({ issuerUrl: gate.gatewayUrl })).code).toBe('issuer_malformed');
  });

  test('never shows the key that is not one', async () => {
    const privateJwk = { ...gate.agent.privateJwk, d: 'fake-private-part' };
    const { code, message, cause } = await fault({ agent: { ...gate.agent, privateJwk } });
    expect(code).toBe('agent_key_invalid');
    expect(`${message} ${cause}`).not.toContain('fake-private-part');
  });
});
