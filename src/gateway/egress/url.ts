/**
 * The one URL parser of the gateway (WHATWG URL, Node's own): for what administrators write and what upstreams
 * answer. Request targets never come here: they are cut by hand in ingress/, because this parser repairs what
 * the gate must refuse. Null: it does not parse.
 */
export function parseUrl(text: string, base?: string): URL | null {
  return URL.parse(text, base);
}
