import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApprovalRecord } from '../../approvals/index.ts';
import type { TokenForm } from '../grants/token-form.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { NotificationUrl, Notify } from './backchannel.ts';
import type { BackchannelStore } from './store.ts';

/** RFC 6750 section 2.1; 22 characters are what 128 bits need (CIBA section 7.1). */
const TOKEN = /^[A-Za-z0-9\-._~+/]{22,1024}=*$/;
const TOKEN_CHARS = 1024;
/** Waits before the second and the third attempt. An agent that hears nothing may still ask. */
const WAITS_MS = [1_000, 10_000];
const [CIPHER, NONCE_BYTES, TAG_BYTES] = ['aes-256-gcm', 12, 16] as const;

/** Whom a ping is for. */
interface Notice {
  readonly id: string;
  readonly token: string;
}

/** Null: the agent polls. Throws OAuthFault('invalid_request'). */
export function readNotificationToken(form: TokenForm, url: NotificationUrl | null): string | null {
  const token = form.one('client_notification_token');
  if (url === null && token === null) return null;
  if (url === null) {
    throw new OAuthFault('invalid_request', 'no notification endpoint is registered for this client: poll');
  }
  if (token === null || token.length > TOKEN_CHARS || !TOKEN.test(token)) {
    throw new OAuthFault(
      'invalid_request',
      'client_notification_token is a bearer token of 128 bits or more',
    );
  }
  return token;
}

interface PingerOptions {
  /** 32 bytes: tokens of others are not kept in plain text. */
  readonly key: Buffer;
  readonly store: BackchannelStore;
  readonly notify: Notify;
  readonly urlOf: (agentId: string) => Promise<NotificationUrl | null>;
  readonly onFault: (fault: unknown) => void;
}

/** Tells agents that somebody has decided (CIBA section 10.2); what was decided they learn at the token endpoint. */
export class Pinger {
  readonly #o: PingerOptions;
  readonly #closing = new AbortController();

  constructor(o: PingerOptions) {
    this.#o = o;
  }

  seal(notice: Notice): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#o.key, nonce);
    const sealed = [cipher.update(JSON.stringify(notice), 'utf8'), cipher.final()];
    return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** Nobody waits for it. */
  told(record: ApprovalRecord): void {
    this.#ping(record).catch(this.#o.onFault);
  }

  close(): void {
    this.#closing.abort();
  }

  async #ping({ tenant, id }: ApprovalRecord): Promise<void> {
    const record = await this.#o.store.byApproval(tenant, id);
    if (record === null || record.notify === null) return;
    const url = await this.#o.urlOf(record.agentId);
    if (url === null) return;
    const notice = this.#open(record.notify);
    for (const wait of [...WAITS_MS, null]) {
      const fault = await this.#o.notify({ ...url, ...notice }).then(
        () => null,
        (cause: unknown) => ({ cause }),
      );
      if (fault === null || this.#closing.signal.aborted) return;
      if (wait === null) throw fault.cause;
      await pause(wait, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {});
    }
  }

  #open(text: string): Notice {
    const bytes = Buffer.from(text, 'base64url');
    const decipher = createDecipheriv(CIPHER, this.#o.key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return JSON.parse(Buffer.concat(opened).toString('utf8'));
  }
}
