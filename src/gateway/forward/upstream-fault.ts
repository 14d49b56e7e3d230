import { Refusal, type RefusalCode } from '../../core/index.ts';

/** A failure of the exchange as a refusal. The cause goes into the record, never onto the wire. */
export function upstreamFault(error: Error): Refusal {
  if (error instanceof Refusal) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return new Refusal(codeOf(code), {
    cause: error,
    internal: `${code} ${error.message}`.trim().slice(0, 300),
  });
}

function codeOf(code: string): RefusalCode {
  // llhttp's faults: HPE_INVALID_CHUNK_SIZE, HPE_HEADER_OVERFLOW, …
  if (code.startsWith('HPE_')) return 'upstream_malformed';
  return 'upstream_unreachable';
}
