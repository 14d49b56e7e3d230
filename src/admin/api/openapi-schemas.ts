import { z } from 'zod';
import type { JsonObject } from '../../core/index.ts';

/** Gathers the schemas that carry an id, so that each stands in the document once. */
export class SharedSchemas {
  readonly byId = new Map<string, JsonObject>();

  /** JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $schema: _, $defs, ...whole } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [id, shared] of Object.entries($defs ?? {})) this.byId.set(id, plain(shared));
    return plain(whole);
  }
}

/** `readOnly` speaks of members that clients must not send; in zod it means that code must not write. */
function plain(schema: object): JsonObject {
  const text = JSON.stringify(schema, (name, value) => (name === 'readOnly' ? undefined : value));
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'));
}
