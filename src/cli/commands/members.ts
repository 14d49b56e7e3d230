import type { Column, Row } from '../output.ts';

/** A line for each member, in the order in which the service names them. */
export function members(value: Row): readonly Column[] {
  return Object.keys(value).map((name) => [name, name]);
}
