import { createHash } from 'node:crypto';
import type { HttpCall } from '../../core/index.ts';
import type { BodySource } from '../ingress/body-source.ts';
import { valuesOf } from '../ingress/fields.ts';

/** JSON bodies up to here are always read before deciding: most tool calls are, and rules see more that way. */
const SMALL_JSON_BYTES = 64 * 1024;
const JSON_TYPE = /^application\/(?:[a-z0-9.+-]{1,64}\+)?json\b/i;

/** Whether the body is read before deciding: the service, a policy or its small size asks for it. */
export function wantsBody(call: HttpCall, policyReadsBody: boolean): boolean {
  if (call.body.kind !== 'stream') return false;
  if (call.service.inspectBody || policyReadsBody) return true;
  const { length } = call.body;
  if (length === null || length > SMALL_JSON_BYTES) return false;
  return valuesOf(call.headers, 'content-type').some((type) => JSON_TYPE.test(type));
}

/** The same call with its body read whole. Throws `body_too_large`. */
export async function bufferBody(
  call: HttpCall,
  source: BodySource,
  { inspectBodyBytes }: { readonly inspectBodyBytes: number },
): Promise<HttpCall> {
  if (call.body.kind !== 'stream') return call;
  const bytes = await source.buffer(inspectBodyBytes);
  return {
    ...call,
    body: { kind: 'buffered', bytes, digest: createHash('sha256').update(bytes).digest('base64url') },
  };
}
