import type { SignedIn } from '../sessions.ts';

/** A request to a page, read whole. A POST has been checked to come from a form of ours. */
export interface PageRequest {
  readonly method: 'GET' | 'POST';
  /** The named groups of the page's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Empty for a GET. */
  readonly form: URLSearchParams;
  /** One name for each network that one customer holds. */
  readonly network: string;
  readonly remote: string | null;
  /** What the browser's cookie says; every browser has one. */
  readonly browser: string;
  /** The session cookie as it came, or null. */
  readonly session: string | null;
  readonly signedIn: SignedIn | null;
  /** Stands in each form as `csrf`. */
  readonly csrf: string;
}

export type PageAnswer = (
  | { readonly kind: 'page'; readonly status?: number; readonly html: string }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'json'; readonly status?: number; readonly body: object }
) & {
  /** A new session cookie; null: it is taken away. */
  readonly session?: string | null;
  /** Where a form of this page may lead beside our own origin, as CSP sources. */
  readonly formAction?: readonly string[];
  readonly retryAfterMs?: number;
};

export interface Page {
  /** Anchored at both ends. */
  readonly path: RegExp;
  readonly methods: readonly ('GET' | 'POST')[];
  answer(request: PageRequest): Promise<PageAnswer>;
}
