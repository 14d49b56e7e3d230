import { z } from 'zod';
import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes/index.ts';

const HEAD = `# Admin API

Generated from src/admin/api/routes by \`npm run docs\`.

The control plane serves it at \`/admin/v1\` (by default http://127.0.0.1:8470/admin/v1); the same table as an
OpenAPI 3.1 document is at \`/admin/v1/openapi.json\` and in [openapi.json](openapi.json), with the gateway's own URLs;
a page to read, \`/reference\`, is made from it.

- **Who**: each request carries \`Authorization: Bearer sp_admin_…\`. A token has a role: \`admin\` may do
  everything, \`approver\` decides held calls, \`auditor\` reads. There are no cookies and no CORS, and the Host
  field must name the control plane (\`control.publicUrl\`, its address, or localhost).
- **What**: JSON in UTF-8, at most 256 KiB, without unknown or repeated members.
- **Refusals**: \`application/problem+json\` (RFC 9457) with a stable \`code\`, a \`remedy\`, and all faults of the
  input in \`errors\`.
- **Lists** come in pages, \`{"items": […], "next": …}\` of at most \`limit\`: give \`next\` back as \`cursor\` until it
  is null, or follow the \`Link\` field with \`rel="next"\` (RFC 8288). A cursor is opaque and belongs to its list; what
  is added or removed meanwhile makes nothing come twice or go missing. The audit log's own place is the sequence
  number (\`after\`).
- **Repetition**: a request that changes something may carry \`Idempotency-Key\`
  (draft-ietf-httpapi-idempotency-key-header; 1 to 255 visible characters, a UUID for example). For 24 hours the same
  admin token, key and request get the first answer again, with \`Idempotency-Replayed: true\`, and the work is done
  once, also across a crash and on every node. The same key with another request is refused with 422
  (\`idempotency_mismatch\`); while the first one is on its way, with 409 (\`idempotency_in_flight\`); when its process
  died in the middle, with 409 (\`idempotency_interrupted\`), since what it did can't be known. A request that was
  refused changed nothing, and leaves its key free. Answers are kept sealed by the vault, never in the clear: one that
  shows a new secret is replayed whole, because a lost answer is what the key is for; keep such keys as you would
  keep the secret, and rotate it if one got lost.
- **Record**: each change stands in the audit log before it is made, with the token's name and id.
- **Times** are milliseconds since the epoch.

The first administrator's token is shown once when the service first starts on a terminal; otherwise it stands
in \`keys/admin-token\` of the state folder, mode 0600. A token that is put there before the first start becomes
the first administrator's.
`;

/** The text of docs/reference/openapi.json. */
export function openApiReference(): string {
  return `${JSON.stringify(openApiDocument(ROUTES), null, 2)}\n`;
}

/** The text of docs/reference/admin-api.md. */
export function adminApiReference(): string {
  const groups = Map.groupBy(ROUTES, (route) => route.path.split('/')[1] ?? '');
  const parts = [...groups].map(([name, routes]) => `## ${name}\n\n${routes.map(describe).join('\n')}`);
  return `${HEAD}\n${parts.join('\n\n')}\n`;
}

function describe(route: Route): string {
  const lines = [
    `- **${route.method.toUpperCase()} ${route.path}** (${route.roles.join(', ')}): ${route.summary}`,
    ...part('Query', route.query),
    ...part('Body', route.body),
  ];
  return lines.join('\n');
}

interface Node {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
}

function part(title: string, schema: z.ZodType | null): string[] {
  if (schema === null) return [];
  const node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;
  const members = Object.entries(node.properties ?? {}).map(([name, member]) => {
    const needed = node.required?.includes(name) === true ? ', needed' : '';
    const fallback = member.default === undefined ? '' : `, default ${JSON.stringify(member.default)}`;
    return `\`${name}\` (${typeOf(member)}${needed}${fallback})`;
  });
  return members.length === 0 ? [] : [`  ${title}: ${members.join('; ')}.`];
}

function typeOf(node: Node): string {
  const choices = node.anyOf ?? node.oneOf;
  if (choices !== undefined) return choices.map(typeOf).join(' or ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.join(' or ');
  if (node.type === 'array') return `list of ${typeOf(node.items ?? {})}`;
  if (node.type === 'object' && node.properties !== undefined) {
    const members = Object.entries(node.properties).map(([name, member]) => `${name}: ${typeOf(member)}`);
    return `{${members.join(', ')}}`;
  }
  return [node.type ?? 'JSON'].flat().join(' or ');
}
