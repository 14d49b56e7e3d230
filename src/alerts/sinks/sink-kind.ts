import type { JsonObject } from '../../core/index.ts';
import type { AlertMessage } from '../message.ts';
import type { SigningKeys } from '../signing-keys.ts';

/** Makes one request under the rules of egress: resolved once, private ranges refused, no redirect followed. */
export type Send = (request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}) => Promise<{ readonly status: number; readonly retryAfterMs: number | null }>;

/** What the sinks work with. */
export interface SinkTools {
  readonly send: Send;
  /** Folder that file sinks write into. */
  readonly directory: string;
  readonly timeoutMs: number;
}

/** How one attempt ended. */
export type Attempt =
  | { readonly outcome: 'delivered' }
  /** May work later. `retryAfterMs`: how long the receiver asks us to wait. */
  | { readonly outcome: 'failed'; readonly error: string; readonly retryAfterMs: number | null }
  /** The receiver wants nothing more. */
  | { readonly outcome: 'gone'; readonly error: string };

/** One way to hand an alert over. */
export interface SinkKind {
  /** Whether it signs, and so has a secret. */
  readonly signs: boolean;
  /** Options in canonical form. Throws Refusal `input_invalid`. */
  parseOptions(options: JsonObject): JsonObject;
  /** One attempt. What goes wrong at the receiver is an outcome, not an exception. */
  deliver(o: {
    readonly options: JsonObject;
    readonly keys: SigningKeys | null;
    readonly message: AlertMessage;
    /** Milliseconds since the epoch. */
    readonly now: number;
    readonly tools: SinkTools;
  }): Promise<Attempt>;
}
