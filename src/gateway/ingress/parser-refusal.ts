import { Refusal } from '../../core/index.ts';

/** What Node's own parser found, as a refusal. */
export function parserRefusal(error: Error): Refusal {
  const code = 'code' in error ? error.code : null;
  const internal = `parser: ${String(code)} ${error.message}`.slice(0, 200);
  if (code === 'HPE_HEADER_OVERFLOW') return new Refusal('request_too_large', { internal });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Refusal('request_timeout', { internal });
  if (code === 'HPE_INVALID_VERSION') return new Refusal('protocol_unsupported', { internal });
  return new Refusal('request_malformed', { internal });
}
