import { randomBytes } from 'node:crypto';
import type { Clock, JsonValue } from '../core/index.ts';
import type { Hashes } from './hashes.ts';
import type { OnceStore } from './store.ts';

const LIFETIME_MS = 10 * 60_000;
const MOST_CHARS = 4096;
const LABEL = 'ticket';

/** What a ticket can be for; one for another use is none. */
export type TicketKind =
  | 'passkey-add'
  | 'passkey-sign-in'
  /** A yes to one approval. */
  | 'approve'
  | 'upstream';

export interface TicketsOptions {
  readonly hashes: Hashes;
  readonly once: OnceStore;
  readonly clock: Clock;
}

/**
 * What a page gives a browser to bring back once: signed, bound to that browser, short-lived. Nothing is kept until it
 * is used, so that strangers who load pages fill no table.
 */
export class Tickets {
  readonly #o: TicketsOptions;

  constructor(o: TicketsOptions) {
    this.#o = o;
  }

  /** `about`: what it is good for; the browser can read it. */
  issue(kind: TicketKind, browser: string, about: readonly JsonValue[]): string {
    const { hashes, clock } = this.#o;
    const content = [clock.now() + LIFETIME_MS, randomBytes(16).toString('base64url'), ...about];
    const payload = Buffer.from(JSON.stringify(content)).toString('base64url');
    return `${payload}.${hashes.of(LABEL, kind, browser, payload)}`;
  }

  /** What it is about; null for one that is not ours, of another browser or kind, or too old. */
  read(kind: TicketKind, browser: string, ticket: string | null): readonly JsonValue[] | null {
    const [, payload = '', mac = ''] = /^([\w-]+)\.([\w-]{43})$/.exec(ticket ?? '') ?? [];
    if (payload.length > MOST_CHARS || !this.#o.hashes.matches(mac, LABEL, kind, browser, payload))
      return null;
    const [expiresAt, , ...about] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return expiresAt > this.#o.clock.now() ? about : null;
  }

  /** True for exactly one caller. */
  use(ticket: string): Promise<boolean> {
    const { hashes, once, clock } = this.#o;
    const now = clock.now();
    const key = hashes.of('used ticket', ticket);
    // It is good no longer than this.
    return once.insertIfAbsent({ kind: 'people-ticket', key, expiresAt: now + LIFETIME_MS }, now);
  }

  /** 32 bytes that follow from it and that nobody else can work out, as base64url. */
  derive(label: string, ticket: string): string {
    return this.#o.hashes.of(`ticket ${label}`, ticket);
  }
}
