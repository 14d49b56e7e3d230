import type { Asked } from './authenticator.ts';

/** A form of a page, as a browser would send it. */
export interface PageForm {
  readonly action: string;
  readonly method: string;
  /** Values of its fields; of boxes those that are ticked. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** What its script asks the browser for: a new passkey, or an answer of one. */
  readonly passkey: Asked | null;
}

export interface Visited {
  readonly status: number;
  readonly url: string;
  readonly text: string;
  readonly headers: Headers;
  readonly forms: readonly PageForm[];
  /** Where the page, or its `refresh`, leads out of our own origin; else null. */
  readonly leftTo: string | null;
}

/** A browser of the simplest kind: cookies, redirects within one origin, forms. It runs no scripts. */
export class TestBrowser {
  readonly origin: string;
  readonly cookies = new Map<string, string>();

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Follows redirects as long as they stay with the origin. */
  async visit(address: string, init: RequestInit = {}): Promise<Visited> {
    let url = new URL(address, this.origin).href;
    let asked = init;
    for (let hops = 0; hops < 10; hops += 1) {
      const answer = await fetch(url, {
        ...asked,
        redirect: 'manual',
        headers: { cookie: this.cookieField(), ...headersOf(asked) },
      });
      this.#keep(answer);
      const text = await answer.text();
      const to = answer.headers.get('location');
      const next = to === null ? refreshOf(text) : to;
      const leads = next === null ? null : new URL(next, url).href;
      const leftTo = leads !== null && new URL(leads).origin !== this.origin ? leads : null;
      if (leads === null || leftTo !== null) {
        return { status: answer.status, url, text, headers: answer.headers, forms: formsOf(text), leftTo };
      }
      url = leads;
      asked = {};
    }
    throw new Error(`too many redirects: ${url}`);
  }

  /** Sends the form of a page with these values in place of its own. */
  submit(
    visited: Visited,
    values: Readonly<Record<string, string | readonly string[]>>,
    o: { readonly form?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Visited> {
    const form = visited.forms[o.form ?? 0];
    if (form === undefined) throw new Error(`no form on ${visited.url}: ${visited.text.slice(0, 500)}`);
    const body = new URLSearchParams();
    for (const [name, value] of form.fields) if (!(name in values)) body.append(name, value);
    for (const [name, value] of Object.entries(values)) {
      for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
    }
    return this.visit(new URL(form.action, visited.url).href, {
      method: 'POST',
      body,
      headers: { origin: this.origin, 'sec-fetch-site': 'same-origin', ...o.headers },
    });
  }

  cookieField(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(answer: Response): void {
    for (const line of answer.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';');
      const at = pair.indexOf('=');
      const name = pair.slice(0, at).trim();
      if (attributes.some((one) => one.trim().toLowerCase() === 'max-age=0')) this.cookies.delete(name);
      else this.cookies.set(name, pair.slice(at + 1).trim());
    }
  }
}

function headersOf(init: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(init.headers));
}

function refreshOf(text: string): string | null {
  const [, url] = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(text) ?? [];
  return url === undefined ? null : unescaped(url);
}

function formsOf(text: string): PageForm[] {
  return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', inner = '']) => ({
    action: attribute(head, 'action') ?? '',
    method: attribute(head, 'method') ?? 'get',
    passkey: JSON.parse(attribute(head, 'data-create') ?? attribute(head, 'data-get') ?? 'null'),
    fields: [
      ...[...inner.matchAll(/<input\b([^>]*)>/g)].flatMap(([, input = '']) => {
        const name = attribute(input, 'name');
        const box = ['checkbox', 'radio'].includes(attribute(input, 'type') ?? '');
        if (name === null || (box && !/\schecked(?=[\s>]|$)/.test(input))) return [];
        return [[name, attribute(input, 'value') ?? ''] as const];
      }),
      ...[...inner.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)].flatMap(
        ([, select = '', list = '']) => {
          const name = attribute(select, 'name');
          const options = [...list.matchAll(/<option\b([^>]*)>/g)].map(([, option = '']) => option);
          const chosen = options.find((option) => /\sselected(?=[\s>]|$)/.test(option)) ?? options[0] ?? '';
          return name === null ? [] : [[name, attribute(chosen, 'value') ?? ''] as const];
        },
      ),
    ],
  }));
}

function attribute(head: string, name: string): string | null {
  const [, value] = new RegExp(`\\s${name}="([^"]*)"`).exec(` ${head}`) ?? [];
  return value === undefined ? null : unescaped(value);
}

function unescaped(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
