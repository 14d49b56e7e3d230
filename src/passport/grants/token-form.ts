import { OAuthFault } from '../oauth-fault.ts';

const FORM = 'application/x-www-form-urlencoded';

/** The parameters of a token request (RFC 6749 section 3.2): each once, unless it is asked for as a list. */
export class TokenForm {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(pairs: Iterable<readonly [string, string]>) {
    const values = new Map<string, string[]>();
    for (const [name, value] of pairs) {
      // A parameter without a value is treated as if it were not there (RFC 6749 section 3.1).
      if (value !== '') values.set(name, [...(values.get(name) ?? []), value]);
    }
    this.#values = values;
  }

  /** Throws OAuthFault('invalid_request') when it stands twice: readers differ in which one they take. */
  one(name: string): string | null {
    const [value, second] = this.many(name);
    if (second !== undefined) throw invalid(`the parameter ${name} stands more than once`);
    return value ?? null;
  }

  many(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  required(name: string): string {
    const value = this.one(name);
    if (value === null) throw invalid(`the parameter ${name} is missing`);
    return value;
  }

  /** Each name with each of its values. */
  pairs(): [string, string][] {
    return [...this.#values].flatMap(([name, values]) =>
      values.map((value): [string, string] => [name, value]),
    );
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

/** Null for a body of another type. Throws OAuthFault('invalid_request') for one that is no UTF-8. */
export function readTokenForm(body: Uint8Array, contentType: string | undefined): TokenForm | null {
  if ((contentType?.split(';')[0] ?? '').trim().toLowerCase() !== FORM) return null;
  try {
    return new TokenForm(new URLSearchParams(new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch (cause) {
    throw new OAuthFault('invalid_request', 'the body is not UTF-8', { cause });
  }
}

function invalid(description: string): OAuthFault {
  return new OAuthFault('invalid_request', description);
}
