import type { JsonObject, JsonValue } from '../../core/index.ts';

/** Deeper than any schema of ours: a schema that holds itself ends there. */
const DEEPEST = 12;

/** A value that the schema takes: its own example, its default, or the plainest there is. */
export function exampleOf(schema: JsonObject, shared: ReadonlyMap<string, JsonObject>, depth = 0): JsonValue {
  const given = Array.isArray(schema.examples) ? schema.examples[0] : undefined;
  if (given !== undefined) return given;
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null;
  if (typeof schema.$ref === 'string') {
    const found = shared.get(schema.$ref.split('/').at(-1) ?? '');
    return found === undefined ? null : exampleOf(found, shared, depth + 1);
  }
  const [choice] = [schema.anyOf, schema.oneOf, schema.allOf].find(Array.isArray) ?? [];
  if (isSchema(choice)) return exampleOf(choice, shared, depth + 1);
  return exampleOfType(schema, shared, depth);
}

function exampleOfType(
  schema: JsonObject,
  shared: ReadonlyMap<string, JsonObject>,
  depth: number,
): JsonValue {
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return depth > DEEPEST ? {} : membersOf(schema, shared, depth);
    case 'array':
      return Number(schema.minItems ?? 0) === 0 && depth > 3 ? [] : itemsOf(schema, shared, depth);
    case 'string':
      return 'text';
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema.minimum ?? 1));
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return {};
  }
}

function membersOf(schema: JsonObject, shared: ReadonlyMap<string, JsonObject>, depth: number): JsonObject {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  return Object.fromEntries(
    properties.flatMap(([name, member]) =>
      required.includes(name) && isSchema(member) ? [[name, exampleOf(member, shared, depth + 1)]] : [],
    ),
  );
}

function itemsOf(schema: JsonObject, shared: ReadonlyMap<string, JsonObject>, depth: number): JsonValue {
  return isSchema(schema.items) ? [exampleOf(schema.items, shared, depth + 1)] : [];
}

function isSchema(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
