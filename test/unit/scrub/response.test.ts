import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../../src/core/index.ts';
import {
  compileNeedles,
  MASK,
  requestHeadersForScrub,
  responseHeadersAfterScrub,
  scrubHeaders,
  scrubResponse,
  scrubText,
} from '../../../src/gateway/scrub/index.ts';
import { bytesOf, chunked, collect, fakeSecret } from './support.ts';

const SECRET = fakeSecret();
const NEEDLES = compileNeedles([bytesOf(SECRET)]);

const respond = (o: { headers?: HeaderList; body?: Buffer; status?: number; method?: string }) =>
  scrubResponse(NEEDLES, {
    method: o.method ?? 'GET',
    status: o.status ?? 200,
    reason: 'OK',
    headers: o.headers ?? [],
    body: chunked(o.body ?? Buffer.alloc(0), 1000),
  });

const md5 = (body: Buffer) => createHash('md5').update(body).digest('base64');

describe('scrubResponse', () => {
  it('keeps head and bytes of a clean answer, its entity tag and its digest too', async () => {
    const body = bytesOf('{"clean":true}');
    const headers: HeaderList = [
      ['content-length', String(body.length)],
      ['etag', '"v1"'],
      ['content-md5', md5(body)],
    ];
    const answer = await respond({ headers, body });
    expect(answer.headers).toEqual(headers);
    expect(await collect(answer.body)).toEqual(body);
    expect(answer.hits()).toBe(0);
  });

  it('keeps Content-Range and length of a clean part', async () => {
    const headers: HeaderList = [
      ['content-length', '5'],
      ['content-range', 'bytes 0-4/100'],
    ];
    const answer = await respond({ headers, body: bytesOf('12345'), status: 206 });
    expect(answer.headers).toEqual(headers);
    expect(await collect(answer.body)).toEqual(bytesOf('12345'));
  });

  it('drops a digest that masking made untrue, and weakens the entity tag', async () => {
    const body = bytesOf(`{"echo":"${SECRET}"}`);
    const answer = await respond({
      headers: [
        ['content-length', String(body.length)],
        ['etag', '"v1"'],
        ['content-md5', md5(body)],
      ],
      body,
    });
    expect(answer.headers).toEqual([
      ['content-length', String(body.length)],
      ['etag', 'W/"v1"'],
    ]);
    const seen = await collect(answer.body);
    expect(seen.length).toBe(body.length);
    expect(seen.toString()).toContain(MASK);
    expect(answer.hits()).toBe(1);
  });

  it('drops the digest of a body that is too long to wait for, and streams it', async () => {
    const body = Buffer.alloc(3 * 1024 * 1024, 'clean ');
    const answer = await respond({ headers: [['content-md5', md5(body)]], body });
    expect(answer.headers).toEqual([]);
    expect((await collect(answer.body)).equals(body)).toBe(true);
  });

  it('decodes, scrubs, and takes back what told of the coded body', async () => {
    const body = zlib.gzipSync(`<${SECRET}>`);
    const answer = await respond({
      headers: [
        ['content-encoding', 'gzip'],
        ['content-length', String(body.length)],
        ['accept-ranges', 'bytes'],
        ['etag', '"v1"'],
        ['content-type', 'text/plain'],
      ],
      body,
    });
    expect(answer.headers).toEqual([
      ['etag', 'W/"v1"'],
      ['content-type', 'text/plain'],
    ]);
    expect((await collect(answer.body)).includes(SECRET)).toBe(false);
  });

  it('leaves the head of an answer without a body alone', async () => {
    const headers: HeaderList = [
      ['content-encoding', 'gzip'],
      ['content-length', '1234'],
    ];
    expect((await respond({ headers, method: 'HEAD' })).headers).toEqual(headers);
    expect((await respond({ headers, status: 304 })).headers).toEqual(headers);
  });

  it('lets no byte of a body through where there can be none, and scrubs the one of a 205', async () => {
    const body = bytesOf(`<${SECRET}>`);
    for (const bodiless of [{ method: 'HEAD' }, { status: 204 }, { status: 304 }]) {
      const answer = await respond({ ...bodiless, body });
      await expect(collect(answer.body)).rejects.toMatchObject({ code: 'upstream_malformed' });
    }
    const reset = await respond({ status: 205, body });
    expect((await collect(reset.body)).includes(SECRET)).toBe(false);
  });

  it('refuses a coding that it can not read, and a part of a coded body', async () => {
    await expect(respond({ headers: [['content-encoding', 'compress']] })).rejects.toMatchObject({
      code: 'upstream_coding',
    });
    await expect(respond({ headers: [['content-encoding', 'gzip']], status: 206 })).rejects.toMatchObject({
      code: 'upstream_coding',
    });
  });

  it('scrubs trailers and counts what it found there', async () => {
    const answer = await respond({ body: bytesOf('ok') });
    expect(answer.scrubTrailers([['x-echo', SECRET]])).toEqual([['x-echo', MASK]]);
    expect(answer.hits()).toBe(1);
  });
});

describe('scrubHeaders', () => {
  it('masks values and drops fields that are named like a secret', () => {
    const named = compileNeedles([bytesOf('FAKE-Token-0123')]);
    const { headers, hits } = scrubHeaders(named, [
      ['fake-token-0123', 'yes'],
      ['location', 'https://x.example/?t=FAKE-Token-0123&b=1'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=FAKE%2DToken-0123; Path=/'],
    ]);
    expect(headers).toEqual([
      ['location', `https://x.example/?t=${MASK}&b=1`],
      ['set-cookie', 'a=1'],
      ['set-cookie', `b=${MASK}; Path=/`],
    ]);
    expect(hits).toBe(3);
  });
});

describe('scrubText', () => {
  it('finds a secret with other letters, however the library decoded the value', () => {
    const needles = compileNeedles([bytesOf('fäké-sécret')]);
    const asUtf8 = 'x fäké-sécret y';
    const asLatin1 = Buffer.from(asUtf8, 'utf8').toString('latin1');
    expect(scrubText(needles, asUtf8)).toEqual({ value: `x ${MASK} y`, hits: 1 });
    expect(scrubText(needles, asLatin1)).toEqual({ value: `x ${MASK} y`, hits: 1 });
    expect(scrubText(needles, 'nothing hére')).toEqual({ value: 'nothing hére', hits: 0 });
  });
});

describe('requestHeadersForScrub', () => {
  it('asks for codings that can be read, and for whole answers', () => {
    expect(
      requestHeadersForScrub([
        ['accept', '*/*'],
        ['accept-encoding', 'gzip, compress'],
        ['Range', 'bytes=0-9'],
        ['if-range', '"v1"'],
        ['accept-encoding', 'br;q=0.5, *'],
        ['want-repr-digest', 'sha-256=1'],
      ]),
    ).toEqual([
      ['accept', '*/*'],
      ['accept-encoding', 'gzip, br;q=0.5'],
    ]);
    expect(requestHeadersForScrub([])).toEqual([['accept-encoding', 'identity']]);
  });
});

describe('responseHeadersAfterScrub', () => {
  it('keeps the entity tag while the body streams: agents send it back in If-Match', () => {
    const headers: HeaderList = [
      ['etag', '"v1"'],
      ['digest', 'sha-256=x'],
    ];
    expect(responseHeadersAfterScrub(headers, { decoded: false, changed: 'unknown' })).toEqual([
      ['etag', '"v1"'],
    ]);
    expect(responseHeadersAfterScrub([['etag', 'W/"v1"']], { decoded: true, changed: 'yes' })).toEqual([
      ['etag', 'W/"v1"'],
    ]);
  });
});
