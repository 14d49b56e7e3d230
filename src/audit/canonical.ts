/** Deeper nesting than anything that the gate takes from outside (`LIMITS.jsonDepth`) plus its own envelope. */
const MAX_DEPTH = 64;

/**
 * The canonical JSON of a value (RFC 8785): members in the order of their UTF-16 code units, no space, numbers
 * as ECMAScript prints them. Two parties that hold the same value hash the same bytes.
 *
 * Where RFC 8785 would fail on what an attacker can send, this stays total: a lone surrogate becomes U+FFFD.
 * Bytes are never written out, whatever wraps them: they might be a secret (CVE-2025-62705). Throws TypeError
 * for what JSON can't carry, which only a programmer can cause.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical JSON; use null`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= MAX_DEPTH) throw new TypeError('the value is nested too deeply for canonical JSON');
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      throw new TypeError(`a ${typeof value} has no canonical JSON; leave the member out`);
  }
}

/** No character that JSON escapes and no half of a surrogate pair: quotes around it are enough. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** The common case does without the escaping of JSON.stringify, whose call costs more than all the rest. */
function quote(text: string): string {
  if (text.length < 100 && PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed());
}

function writeArray(items: readonly unknown[], depth: number): string {
  let text = '[';
  for (let index = 0; index < items.length; index++) {
    text += (index === 0 ? '' : ',') + write(items[index], depth + 1);
  }
  return `${text}]`;
}

function writeObject(value: object, depth: number): string {
  // Before toJSON: Buffer's own would print every byte.
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return '"[bytes]"';
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), depth + 1);
  if (!isPlain(value)) {
    throw new TypeError('only plain objects have canonical JSON; a Map, Set or Error would print as {}');
  }
  let text = '{';
  for (const name of sortedNames(value)) {
    const member = value[name];
    if (member === undefined) continue;
    text += `${text === '{' ? '' : ','}${quote(name)}:${write(member, depth + 1)}`;
  }
  return `${text}}`;
}

/** Most events are written down in order already: to see that costs less than to sort. */
function sortedNames(value: object): readonly string[] {
  const names = Object.keys(value);
  for (let at = 1; at < names.length; at++) {
    if ((names[at - 1] ?? '') > (names[at] ?? '')) return names.sort();
  }
  return names;
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
