import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { stateFault, usageFault } from '../fault.ts';
import { rowOf } from '../output.ts';

const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** Refuses private keys here, before they cross the network. */
export function readJwks(file: string): unknown[] {
  const set = z.union([
    z.object({ keys: z.array(z.record(z.string(), z.unknown())) }),
    z.record(z.string(), z.unknown()),
  ]);
  let found: z.infer<typeof set>;
  try {
    found = set.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw stateFault(`${file} is not a JWK or a JWK set.`, 'It must be a JSON file with public keys.', cause);
  }
  const keys = Array.isArray(found.keys) ? found.keys.map(rowOf) : [rowOf(found)];
  if (keys.some((key) => SECRET_MEMBERS.some((member) => member in key))) {
    throw usageFault(
      `${file} holds a private key; only public ones are registered.`,
      'Remove the private members.',
    );
  }
  return keys;
}
