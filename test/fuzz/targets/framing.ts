import { connect } from 'node:net';
import { openEchoUpstream } from '../../support/echo-upstream.ts';
import { makeService, openFakeGate, sendRaw } from '../../support/gate-fakes.ts';
import { type FuzzTarget, latin, mustHold } from '../target.ts';

const get = 'GET /s/api/x HTTP/1.1\r\nHost: <host>\r\n\r\n';
const counted = 'POST /s/api/x HTTP/1.1\r\nHost: <host>\r\nContent-Length: 4\r\n\r\nabcd';
const chunked =
  'POST /s/api/x HTTP/1.1\r\nHost: <host>\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n';

export const framing: FuzzTarget = {
  name: 'framing',
  promise:
    'Over raw sockets to a real gateway: it answers or closes, stays up, and nothing reaches the upstream that was not permitted and recorded.',
  seeds: [
    get,
    counted,
    chunked,
    get + counted,
    'GET http://api.example/x HTTP/1.1\r\nHost: api.example\r\n\r\n',
    'CONNECT api.example:80 HTTP/1.1\r\nHost: api.example:80\r\n\r\nGET /x HTTP/1.1\r\nHost: api.example\r\n\r\n',
  ],
  dictionary: [
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    '\0',
    ':',
    'Content-Length: 0\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding : chunked\r\n',
    'Content_Length: 3\r\n',
    'Connection: close, content-length\r\n',
    'Host: evil.example\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: h2c\r\n',
    'HTTP/1.0',
    'HTTP/2.0',
    '0\r\n\r\n',
    'ffffffffffffffff\r\n',
    '4;ext="\r\n"\r\n',
    get,
    'SMUGGLED /s/api/ HTTP/1.1\r\n',
  ],
  async open() {
    const upstream = await openEchoUpstream();
    const gate = await openFakeGate({
      services: [makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }] })],
      resolve: async () => ['127.0.0.1'],
      dial: () => connect(upstream.port, '127.0.0.1'),
      options: { requestTimeoutMs: 500 },
    });
    const { port } = gate.gateway;
    const host = Buffer.from(`127.0.0.1:${port}`);
    return {
      async try(input) {
        const bytes = Buffer.from(latin(input).replaceAll('<host>', host.toString()), 'latin1');
        const answer = await sendRaw(port, [bytes], { quietMs: 40, end: true });
        mustHold(
          answer.text === '' || /^HTTP\/1\.1 \d{3} /.test(answer.text),
          `answered ${JSON.stringify(answer.text.slice(0, 80))}`,
        );
        const health = await fetch(`http://127.0.0.1:${port}/healthz`);
        mustHold(health.status === 200, `healthz is ${health.status}`);
        await health.arrayBuffer();
        const permitted = gate.of('call.permitted').length;
        mustHold(
          upstream.seen.length <= permitted,
          `the upstream saw ${upstream.seen.length} requests, ${permitted} were permitted`,
        );
        const last = upstream.seen.at(-1);
        mustHold(last === undefined || last.headers.host === 'api.example', `sent to ${last?.headers.host}`);
        const faults = gate.of('call.refused').filter(({ data }) => data.code === 'internal_error');
        mustHold(faults.length === 0, `an internal fault: ${JSON.stringify(faults.at(-1)?.data)}`);
      },
      async close() {
        await gate.close();
        upstream.close();
      },
    };
  },
};
