import { usageFault } from '../fault.ts';

/** One step of a path, from whatever a person typed. */
export function step(text: string): string {
  const encoded = encodeURIComponent(text);
  // A URL parser takes dot segments away: `agent remove ..` would become a request for something else.
  if (/^\.{1,2}$/.test(encoded)) throw usageFault(`${JSON.stringify(text)} is not a name.`);
  return encoded;
}
