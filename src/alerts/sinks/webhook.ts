import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { toSeconds } from '../../core/index.ts';
import type { SigningKeys } from '../signing-keys.ts';
import { parseWith } from './parse-options.ts';
import type { Attempt, SinkKind } from './sink-kind.ts';

const MAX_URL_CHARS = 2048;

const optionsShape = z
  .strictObject({
    /** Where alerts are posted. */
    url: z
      .string()
      .max(MAX_URL_CHARS)
      .refine((text) => URL.canParse(text), { error: 'must be a URL' }),
    /** Allows receivers at private addresses, and with them plain HTTP. */
    allowPrivate: z.boolean().default(false),
  })
  .transform(({ url, allowPrivate }) => ({ url: new URL(url), allowPrivate }))
  .refine(
    ({ url, allowPrivate }) => url.protocol === 'https:' || (allowPrivate && url.protocol === 'http:'),
    {
      error: 'the URL must be https (http only with allowPrivate)',
    },
  )
  .refine(({ url }) => url.username === '' && url.password === '' && url.hash === '', {
    error: 'the URL must not carry a password or a fragment: it is shown in lists',
  })
  .transform(({ url, allowPrivate }) => ({ url: url.href, allowPrivate }));

/** Standard Webhooks (https://www.standardwebhooks.com): symmetric signatures, version 1. */
export const webhook: SinkKind = {
  signs: true,
  parseOptions: (options) => parseWith(optionsShape, options),
  async deliver({ options, keys, message, now, tools }): Promise<Attempt> {
    if (keys === null) throw new TypeError('a webhook has a signing secret');
    const { url, allowPrivate } = optionsShape.parse(options);
    const id = message.data.alertId;
    const timestamp = String(toSeconds(now));
    const body = JSON.stringify(message);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Sallyport',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures(keys, `${id}.${timestamp}.${body}`, now),
    };
    try {
      const answer = await tools.send({ url, headers, body, timeoutMs: tools.timeoutMs, allowPrivate });
      return judge(answer);
    } catch (fault) {
      return { outcome: 'failed', error: reasonOf(fault), retryAfterMs: null };
    }
  },
};

/** One signature a key, with a space between, so that receivers with the old and the new secret both agree. */
function signatures(keys: SigningKeys, content: string, now: number): string {
  const both = keys.previous !== null && now < keys.previous.until;
  const used = both && keys.previous !== null ? [keys.current, keys.previous.key] : [keys.current];
  return used.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`).join(' ');
}

/** Only 2xx is a delivery: a redirect is not followed (it could lead inside), and 410 means "never again". */
function judge({ status, retryAfterMs }: { status: number; retryAfterMs: number | null }): Attempt {
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const error = `the receiver answered ${status}`;
  return status === 410 ? { outcome: 'gone', error } : { outcome: 'failed', error, retryAfterMs };
}

function reasonOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
