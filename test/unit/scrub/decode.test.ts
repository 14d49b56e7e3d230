import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  acceptableCodings,
  contentCodings,
  decodeBody,
  decodeStream,
} from '../../../src/gateway/scrub/index.ts';
import { chunked, collect } from './support.ts';

const TEXT = Buffer.from('The gate lets nothing pass unread. '.repeat(2000));
const ENCODERS = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
} as const;
const CODINGS = ['gzip', 'deflate', 'br', 'zstd'] as const;

const decode = (bytes: Uint8Array, codings: readonly (typeof CODINGS)[number][], size = 1000) =>
  collect(decodeBody(chunked(bytes, size), codings));

describe.each(CODINGS)('%s', (coding) => {
  it.each([1, 7, 1000, 100_000])('is decoded from chunks of %i bytes', async (size) => {
    expect(await decode(ENCODERS[coding](TEXT), [coding], size)).toEqual(TEXT);
  });

  it('is refused when it is cut off at any of its last bytes', async () => {
    const coded = ENCODERS[coding](TEXT);
    for (const missing of [1, 2, 5, coded.length - 2]) {
      await expect(decode(coded.subarray(0, coded.length - missing), [coding])).rejects.toMatchObject({
        code: 'upstream_malformed',
      });
    }
  });

  it('is refused when other bytes follow it, in the same chunk and in the next', async () => {
    const coded = Buffer.concat([ENCODERS[coding](TEXT), Buffer.from('and more')]);
    for (const size of [1, 100_000]) {
      await expect(decode(coded, [coding], size)).rejects.toMatchObject({ code: 'upstream_malformed' });
    }
  });

  it('is refused when it is damaged', async () => {
    const coded = Buffer.from(ENCODERS[coding](TEXT));
    coded.fill(0xff, 10, 30);
    await expect(decode(coded, [coding])).rejects.toMatchObject({ code: 'upstream_malformed' });
  });

  it('may be empty', async () => {
    expect(await decode(Buffer.alloc(0), [coding])).toEqual(Buffer.alloc(0));
  });

  it('is refused when it is a decompression bomb', async () => {
    const bomb = ENCODERS[coding](Buffer.alloc(64 * 1024 * 1024));
    let seen = 0;
    const run = async () => {
      for await (const chunk of decodeBody(chunked(bomb, 65_536), [coding])) seen += chunk.length;
    };
    await expect(run()).rejects.toMatchObject({ code: 'upstream_too_large' });
    expect(seen).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('decodeBody', () => {
  it('decodes deflate without its wrapper, as some servers send it', async () => {
    for (const size of [1, 100_000]) {
      expect(await decode(zlib.deflateRawSync(TEXT), ['deflate'], size)).toEqual(TEXT);
    }
  });

  it('decodes several gzip members and several zstd frames', async () => {
    for (const coding of ['gzip', 'zstd'] as const) {
      const coded = Buffer.concat([ENCODERS[coding](TEXT), ENCODERS[coding](TEXT)]);
      for (const size of [1, 50, 100_000]) {
        expect(await decode(coded, [coding], size)).toEqual(Buffer.concat([TEXT, TEXT]));
      }
    }
  });

  it('ignores zeros behind gzip, deflate and br, which some servers pad with', async () => {
    for (const coding of ['gzip', 'deflate', 'br'] as const) {
      const coded = Buffer.concat([ENCODERS[coding](TEXT), Buffer.alloc(20)]);
      for (const size of [1, 100_000]) expect(await decode(coded, [coding], size)).toEqual(TEXT);
    }
  });

  it('undoes layers in the order opposite to the one they were applied in', async () => {
    const coded = ENCODERS.br(ENCODERS.gzip(TEXT));
    expect(await decode(coded, ['gzip', 'br'])).toEqual(TEXT);
    await expect(decode(coded, ['br', 'gzip'])).rejects.toMatchObject({ code: 'upstream_malformed' });
  });

  it('refuses a bomb inside a bomb', async () => {
    const bomb = zlib.gzipSync(zlib.gzipSync(Buffer.alloc(128 * 1024 * 1024)));
    await expect(decode(bomb, ['gzip', 'gzip'])).rejects.toMatchObject({ code: 'upstream_too_large' });
  });

  it('lets decoded bytes go as soon as the coding allows it', async () => {
    const gzip = zlib.createGzip();
    const body = decodeBody(gzip, ['gzip']);
    gzip.write('first event');
    gzip.flush();
    const first = await body.next();
    expect(Buffer.from(first.value ?? []).toString()).toBe('first event');
    await body.return(undefined);
  });

  it('passes on the error of a source that fails', async () => {
    const failing = async function* () {
      yield ENCODERS.gzip(TEXT).subarray(0, 20);
      throw new Error('connection lost');
    };
    await expect(collect(decodeBody(failing(), ['gzip']))).rejects.toThrow('connection lost');
  });
});

describe('decodeStream', () => {
  it('works in a pipeline', async () => {
    const target = new PassThrough();
    const done = collect(target);
    await pipeline(Readable.from(chunked(ENCODERS.br(TEXT), 100)), decodeStream(['br']), target);
    expect(await done).toEqual(TEXT);
  });

  it('fails the pipeline with the refusal', async () => {
    const target = new PassThrough();
    target.resume();
    const run = pipeline(Readable.from(chunked(Buffer.from('not gzip'), 3)), decodeStream(['gzip']), target);
    await expect(run).rejects.toMatchObject({ code: 'upstream_malformed' });
  });
});

describe('contentCodings', () => {
  it('reads several fields and several values', () => {
    const headers = [
      ['content-encoding', 'GZIP, identity'],
      ['Content-Encoding', ' br'],
    ] as const;
    expect(contentCodings(headers)).toEqual(['gzip', 'br']);
    expect(contentCodings([['content-encoding', 'x-gzip']])).toEqual(['gzip']);
    expect(contentCodings([])).toEqual([]);
  });

  it.each(['compress', 'gzip;q=1', 'dcb', 'aes128gcm', 'gzip gzip', 'gzip, gzip, gzip, gzip, gzip'])(
    'refuses %s',
    (value) => {
      expect(() => contentCodings([['content-encoding', value]])).toThrow(
        expect.objectContaining({ code: 'upstream_coding' }),
      );
    },
  );
});

describe('acceptableCodings', () => {
  it.each([
    [null, 'identity'],
    ['', 'identity'],
    ['*', 'identity'],
    ['compress, dcz', 'identity'],
    ['gzip, deflate, br, zstd', 'gzip, deflate, br, zstd'],
    ['gzip;q=0.5, *;q=0, sdch', 'gzip;q=0.5'],
    ['gzip;q=9', 'identity'],
  ])('of %j is %j', (value, expected) => {
    expect(acceptableCodings(value)).toBe(expected);
  });
});
