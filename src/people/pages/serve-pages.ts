import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { type Clock, networkOf, RateLimiter, Refusal } from '../../core/index.ts';
import { type Hashes, newToken, TOKEN_FORM } from '../hashes.ts';
import type { SignInSessions } from '../sessions.ts';
import { html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';

const FORM_BYTES = 16 * 1024;
const LIMIT = { perSecond: 20, burst: 400 };
const FORM = 'application/x-www-form-urlencoded';
const ASSETS = new Map([
  ['/people/style.css', { type: 'text/css; charset=utf-8', file: 'style.css' }],
  ['/people/passkeys.js', { type: 'text/javascript; charset=utf-8', file: 'passkeys.js' }],
]);

export interface ServePagesOptions {
  /** The origin under which browsers reach the pages. */
  readonly origin: string;
  readonly hashes: Hashes;
  readonly sessions: SignInSessions;
  readonly clock: Clock;
  readonly onFault: (fault: unknown) => void;
}

/**
 * Serves pages for browsers: cookies, CSRF, framing and content policy are seen to here, for all of them alike. Paths
 * that no page has are passed on.
 */
export function servePages(pages: () => readonly Page[], o: ServePagesOptions): RequestHandler {
  const limiter = new RateLimiter(LIMIT);
  const cookies = new Cookies(o.origin);
  const assets = new Map(
    [...ASSETS].map(([path, { type, file }]) => [
      path,
      { type, bytes: readFileSync(new URL(`./${file}`, import.meta.url)) },
    ]),
  );
  return (req, res, next) => {
    const asset = assets.get(req.path);
    if (asset !== undefined && (req.method === 'GET' || req.method === 'HEAD')) {
      res.set({ 'cache-control': 'public, max-age=3600', 'x-content-type-options': 'nosniff' });
      return void res.type(asset.type).send(asset.bytes);
    }
    const found = pages().find(({ path }) => path.test(req.path));
    if (found === undefined) return next();
    answer(found, req, res, { ...o, limiter, cookies }).catch((fault: unknown) => {
      if (!(fault instanceof Refusal)) o.onFault(fault);
      const refusal = fault instanceof Refusal ? fault : new Refusal('internal_error', { cause: fault });
      send(res, notice(refusal.message, fault instanceof Refusal ? 400 : 500), []);
    });
  };
}

interface Serving extends ServePagesOptions {
  readonly limiter: RateLimiter;
  readonly cookies: Cookies;
}

async function answer(
  found: Page,
  req: IncomingMessage & { readonly path: string },
  res: ServerResponse,
  o: Serving,
): Promise<void> {
  const { cookies, hashes } = o;
  const remote = req.socket.remoteAddress ?? null;
  const network = networkOf(remote ?? '');
  const wait = o.limiter.take(network, o.clock.now());
  if (wait > 0) return send(res, tooMany(wait), []);
  const method = req.method === 'HEAD' ? 'GET' : req.method;
  if ((method !== 'GET' && method !== 'POST') || !found.methods.includes(method)) {
    res.setHeader('allow', found.methods.join(', '));
    return send(res, notice('This page does not take that method.', 405), []);
  }
  const shown = cookies.read(req.headers.cookie);
  const known = shown.browser !== null && TOKEN_FORM.test(shown.browser);
  const browser = known ? (shown.browser ?? '') : newToken();
  const set = known ? [] : [cookies.browser(browser)];
  const csrf = hashes.of('csrf', browser, shown.session ?? '');
  const form = method === 'POST' ? await readForm(req) : new URLSearchParams();
  if (
    method === 'POST' &&
    !(
      known &&
      isOwnForm(req, o.origin) &&
      form.get('csrf') !== null &&
      hashes.matches(form.get('csrf') ?? '', 'csrf', browser, shown.session ?? '')
    )
  ) {
    return send(res, notice('This form is out of date. Go back, load the page again and repeat.', 403), set);
  }
  const request: PageRequest = {
    method,
    params: { ...found.path.exec(req.path)?.groups },
    query: new URL(req.url ?? '/', o.origin).searchParams,
    form,
    network,
    remote,
    browser,
    session: shown.session,
    signedIn: await o.sessions.read(shown.session),
    csrf,
  };
  const answered = await found.answer(request);
  if (answered.session !== undefined) set.push(cookies.session(answered.session));
  send(res, answered, set);
}

/** A browser says where a form was; ours come from our origin. Who says nothing is checked by its token alone. */
function isOwnForm(req: IncomingMessage, origin: string): boolean {
  const from = req.headers.origin;
  const site = req.headers['sec-fetch-site'];
  return (from === undefined || from === origin) && (site === undefined || site === 'same-origin');
}

async function readForm(req: IncomingMessage): Promise<URLSearchParams> {
  if ((req.headers['content-type']?.split(';')[0] ?? '').trim().toLowerCase() !== FORM) {
    throw new Refusal('input_invalid', { detail: 'The body is not a form.' });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > FORM_BYTES) throw new Refusal('body_too_large');
    chunks.push(bytes);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** Cookies that no other host and no script can set or read: `__Host-` where TLS protects them. */
class Cookies {
  readonly #prefix: string;
  readonly #attributes: string;

  constructor(origin: string) {
    const secure = origin.startsWith('https://');
    this.#prefix = secure ? '__Host-sallyport' : 'sallyport';
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  read(field: string | undefined): { readonly browser: string | null; readonly session: string | null } {
    const found = new Map<string, string>();
    for (const pair of (field ?? '').split(';')) {
      const at = pair.indexOf('=');
      const name = pair.slice(0, Math.max(at, 0)).trim();
      // The first counts, as browsers send the most specific first.
      if (at > 0 && !found.has(name)) found.set(name, pair.slice(at + 1).trim());
    }
    return {
      browser: found.get(`${this.#prefix}-browser`) ?? null,
      session: found.get(`${this.#prefix}-session`) ?? null,
    };
  }

  browser(value: string): string {
    return `${this.#prefix}-browser=${value}; ${this.#attributes}`;
  }

  session(value: string | null): string {
    const name = `${this.#prefix}-session`;
    if (value === null) return `${name}=; Max-Age=0; ${this.#attributes}`;
    return `${name}=${value}; ${this.#attributes}`;
  }
}

function send(res: ServerResponse, answered: PageAnswer, cookies: readonly string[]): void {
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'", ...(answered.formAction ?? [])],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    // Forms of ours must say where they come from; nobody else learns the address of a page.
    referrerPolicy: { policy: 'same-origin' },
  });
  protect(res.req, res, () => {
    res.setHeader('cache-control', 'no-store');
    if (cookies.length > 0) res.setHeader('set-cookie', cookies);
    if (answered.retryAfterMs !== undefined) {
      res.setHeader('retry-after', Math.ceil(answered.retryAfterMs / 1000));
    }
    if (!res.req.complete) res.setHeader('connection', 'close');
    switch (answered.kind) {
      case 'redirect':
        res.statusCode = 303;
        res.setHeader('location', answered.to);
        res.end();
        return;
      case 'json':
        res.statusCode = answered.status ?? 200;
        res.setHeader('content-type', 'application/json; charset=utf-8');
        res.end(JSON.stringify(answered.body));
        return;
      case 'page':
        res.statusCode = answered.status ?? 200;
        res.setHeader('content-type', 'text/html; charset=utf-8');
        res.end(answered.html);
    }
  });
}

/** A page with one sentence. */
export function notice(sentence: string, status: number): PageAnswer {
  const title = status < 400 ? 'Done' : 'That did not work';
  return { kind: 'page', status, html: page({ title, body: html`<p>${sentence}</p>` }) };
}

export function tooMany(waitMs: number): PageAnswer {
  const seconds = Math.ceil(waitMs / 1000);
  return { ...notice(`Too many attempts. Try again in ${seconds} seconds.`, 429), retryAfterMs: waitMs };
}
