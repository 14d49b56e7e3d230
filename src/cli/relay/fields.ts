/** They belong to one connection (RFC 9110 section 7.6.1), or are the relay's own business. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'sallyport-dpop',
  'te',
  'upgrade',
]);

/** Names and values in the order of the wire, without what belongs to the connection. */
export function passedOn(rawHeaders: readonly string[]): string[] {
  const fields = pairs(rawHeaders);
  const named = fields
    .filter(([name]) => /^connection$/i.test(name))
    .flatMap(([, value]) => value.toLowerCase().split(/\s*,\s*/));
  const dropped = new Set([...NOT_PASSED_ON, ...named]);
  return fields.filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}

/** Node's `rawHeaders` as names with values. */
export function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    found.push([raw[index] ?? '', raw[index + 1] ?? '']);
  return found;
}
