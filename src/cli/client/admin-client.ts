import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { crossesNetworkInClear } from '../clear-text.ts';
import { CliFault, EXIT, usageFault } from '../fault.ts';
import { type Row, rowOf, rowsOf } from '../output.ts';
import type { Trust } from '../trust.ts';
import { exchange } from './http.ts';

const problem = z.looseObject({
  title: z.string().default('The service refused.'),
  detail: z.string().optional(),
  code: z.string().default('refused'),
  remedy: z.string().optional(),
  // Schemas point at a member; rooms that check more than a schema can (services) say it in a sentence.
  errors: z
    .array(
      z.union([
        z.looseObject({ in: z.string().default(''), pointer: z.string().default(''), detail: z.string() }),
        z.string().transform((detail) => ({ in: '', pointer: '', detail })),
      ]),
    )
    .catch([])
    .default([]),
});

/** Items a page; the most that the service gives. */
const PAGE = 200;

/** The admin API as the commands use it. Throws CliFault for everything but success. */
export class AdminClient {
  readonly #base: URL;
  readonly #token: () => string | Promise<string>;
  readonly #signal: AbortSignal;
  readonly #trust: Trust;

  /** `token` is asked for at the first request, so that commands that need none don't miss it. */
  constructor(o: {
    readonly url: string;
    readonly token: () => string | Promise<string>;
    readonly signal: AbortSignal;
    /** Default: whom Node believes. */
    readonly trust?: Trust;
  }) {
    this.#base = checkedUrl(o.url);
    this.#token = o.token;
    this.#signal = o.signal;
    this.#trust = o.trust ?? null;
  }

  get(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<Row> {
    return this.#json('GET', path, { query });
  }

  post(path: string, body?: unknown): Promise<Row> {
    return this.#json('POST', path, { body });
  }

  put(path: string, body: unknown): Promise<Row> {
    return this.#json('PUT', path, { body });
  }

  patch(path: string, body: unknown): Promise<Row> {
    return this.#json('PATCH', path, { body });
  }

  async delete(path: string): Promise<void> {
    await this.#json('DELETE', path, {});
  }

  /** Null when there is nothing by that name. */
  async find(path: string): Promise<Row | null> {
    try {
      return await this.get(path);
    } catch (fault) {
      if (fault instanceof CliFault && fault.code === 'not_found') return null;
      throw fault;
    }
  }

  /** A list page after page, up to `limit` items. */
  async all(
    path: string,
    query: Readonly<Record<string, string | undefined>> = {},
    limit = Number.POSITIVE_INFINITY,
  ): Promise<Row[]> {
    const items: Row[] = [];
    let cursor: string | undefined;
    do {
      const wanted = String(Math.min(limit - items.length, PAGE));
      const page = await this.get(path, { ...query, limit: wanted, cursor });
      items.push(...rowsOf(page.items));
      cursor = typeof page.next === 'string' ? page.next : undefined;
    } while (cursor !== undefined && items.length < limit);
    return items;
  }

  /** The lines of a stream, as they come. */
  async *lines(path: string, query: Readonly<Record<string, string | undefined>>): AsyncGenerator<string> {
    const response = await this.#send('GET', path, { query });
    if (response.statusCode !== 200) throw await refusal(response);
    response.setEncoding('utf8');
    let rest = '';
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '')
      throw new CliFault(EXIT.unreachable, 'cut_off', 'The service ended in the middle of a line.');
  }

  async #json(method: string, path: string, o: Payload): Promise<Row> {
    const response = await this.#send(method, path, o);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw await refusal(response);
    const text = await collect(response);
    if (status === 204 || text === '') return {};
    return rowOf(parse(text));
  }

  async #send(method: string, path: string, { query = {}, body }: Payload): Promise<IncomingMessage> {
    const url = new URL(`/admin/v1${path}`, this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return await exchange({
      method,
      url,
      headers: { authorization: `Bearer ${await this.#token()}`, accept: 'application/json' },
      signal: this.#signal,
      trust: this.#trust,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

interface Payload {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw usageFault(
      `${JSON.stringify(text)} is not the address of a control plane.`,
      'Give --url http(s)://host:port.',
    );
  }
  if (crossesNetworkInClear(url)) {
    throw usageFault(
      'The admin token would cross the network readable by all.',
      'Use https, or a tunnel to this machine (ssh -L 8470:127.0.0.1:8470 host).',
    );
  }
  return url;
}

async function refusal(response: IncomingMessage): Promise<CliFault> {
  const found = problem.safeParse(parse(await collect(response)));
  if (!found.success) {
    return new CliFault(EXIT.refused, 'unexpected_answer', `The service answered ${response.statusCode}.`, {
      remedy: 'Is this address a Sallyport control plane? Check --url.',
    });
  }
  const { code, title, detail, remedy, errors } = found.data;
  return new CliFault(EXIT.refused, code, detail === undefined ? title : detail, {
    details: errors,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

async function collect(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
