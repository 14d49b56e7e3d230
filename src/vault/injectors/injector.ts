import type { InjectorSpec } from '../../core/index.ts';

/** An outbound request before it is written: injection gives a changed copy. */
export interface OutboundDraft {
  /** Names in lower case; values are byte strings (one character a byte), as HTTP/1.1 writes them. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly path: string;
  /** Canonical query without the question mark. */
  readonly query: string;
}

/** One way to put a secret into a request. All of it is pure. */
export interface Injector<Spec extends InjectorSpec> {
  /** What is wrong with a specification; null: nothing. */
  faultOf(spec: Spec): string | null;
  /** What is wrong with a secret that is to travel this way; null: nothing. Never quotes the secret. */
  faultOfSecret(secret: Uint8Array): string | null;
  inject(spec: Spec, secret: Uint8Array, draft: OutboundDraft): OutboundDraft;
  /** Whole values made of the secret that an upstream may echo, beside the secret itself. */
  derived(spec: Spec, secret: Uint8Array): readonly Uint8Array[];
}

/** Removes what the agent put there itself, and sets the field once. */
export function withHeader(draft: OutboundDraft, name: string, value: string): OutboundDraft {
  const kept = draft.headers.filter(([other]) => alike(other) !== alike(name));
  return { ...draft, headers: [...kept, [name, value]] };
}

/** CGI-style upstreams read `x_api_key` as `x-api-key`: the agent's own value must not win that way. */
function alike(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** One character a byte, so that the bytes on the wire are those of the secret. */
export function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** RFC 9110 section 5.5: what a field value can't hold, or would lose on its way. */
export function faultOfFieldValue(bytes: Uint8Array): string | null {
  if (bytes.some((byte) => byte < 0x20 || byte === 0x7f)) {
    return 'the secret holds control characters (a line end at its end, perhaps), and a header field can not carry them';
  }
  if (bytes[0] === 0x20 || bytes[bytes.length - 1] === 0x20) {
    return 'the secret begins or ends with a space, and a header field would lose it';
  }
  return null;
}
