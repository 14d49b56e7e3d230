import { z } from 'zod';
import { configSchema } from './schema.ts';

/** One setting as the schema tells it. */
export interface SettingLeaf {
  readonly section: string;
  readonly name: string;
  /** `SALLYPORT_GATEWAY_PUBLIC_URL` for gateway.publicUrl. */
  readonly variable: string;
  readonly description: string;
  readonly defaultValue: unknown;
  readonly secret: boolean;
  /** What a value looks like, for people: `whole number 0 to 65535`, `one of a, b`. */
  readonly type: string;
  readonly kinds: ReadonlySet<string>;
}

interface Node {
  /** Several for a plain type that may also be nothing. */
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly anyOf?: readonly Node[];
  readonly description?: string;
  readonly default?: unknown;
  readonly secret?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
}

/** All settings, in the order of the schema. */
export function settingLeaves(): readonly SettingLeaf[] {
  const root = z.toJSONSchema(configSchema, { io: 'input' }) as Node;
  return Object.entries(root.properties ?? {}).flatMap(([section, node]) =>
    Object.entries(node.properties ?? {}).map(([name, leaf]) => ({
      section,
      name,
      variable: `SALLYPORT_${snake(section)}_${snake(name)}`,
      description: leaf.description ?? '',
      defaultValue: leaf.default ?? null,
      secret: leaf.secret === true || leaf.anyOf?.some((one) => one.secret === true) === true,
      type: describe(leaf),
      kinds: kindsOf(leaf),
    })),
  );
}

function snake(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function kindsOf(node: Node): ReadonlySet<string> {
  if (node.anyOf !== undefined) return new Set(node.anyOf.flatMap((one) => [...kindsOf(one)]));
  return new Set(typeof node.type === 'object' ? node.type : [node.type ?? 'string']);
}

function describe(node: Node): string {
  if (node.anyOf !== undefined) {
    return node.anyOf.map((one) => (one.type === 'null' ? 'nothing' : describe(one))).join(' or ');
  }
  if (typeof node.type === 'object') {
    return node.type.map((type) => (type === 'null' ? 'nothing' : describe({ ...node, type }))).join(' or ');
  }
  if (node.enum !== undefined) return `one of ${node.enum.map((one) => `\`${one}\``).join(', ')}`;
  if (node.type === 'integer') return `whole number ${node.minimum ?? 0} to ${node.maximum ?? 'any'}`;
  if (node.type === 'number') return `number ${node.minimum ?? 0} to ${node.maximum ?? 'any'}`;
  if (node.type === 'boolean') return '`true` or `false`';
  if (node.type === 'array') return 'list (JSON in the environment)';
  if (node.format === 'uri') return 'URL';
  if (node.pattern !== undefined) return `text matching \`${node.pattern}\``;
  return 'text';
}
