import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { JsonObject, JsonValue } from '../../core/index.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTES } from './routes/index.ts';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow-x:auto;padding:.75rem;border:1px solid #8886;border-radius:6px}
article{border-top:1px solid #8886;margin-top:2rem}h2{margin-top:3rem}table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Nothing but its own style sheet: no script, no frame, no picture, no connection. */
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

let page: string | null = null;

/** The reference page of the control plane, made from the OpenAPI document; it tells nothing of this installation. */
export const referencePage: RequestHandler = (_request, response) => {
  page ??= html(openApiDocument(ROUTES));
  response.set({
    'cache-control': 'no-cache',
    'content-security-policy': POLICY,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.type('html').send(page);
};

/** The document as a page. */
export function html(document: JsonObject): string {
  const operations = Object.entries(objectOf(document.paths)).flatMap(([path, item]) =>
    Object.entries(objectOf(item)).flatMap(([method, operation]) =>
      method === 'servers' ? [] : [{ path, method, operation: objectOf(operation) }],
    ),
  );
  const groups = Map.groupBy(operations, ({ operation }) => String([operation.tags].flat()[0]));
  const contents = [...groups.keys()]
    .map((tag) => `<a href="#${escapeHtml(tag)}">${escapeHtml(tag)}</a>`)
    .join(' · ');
  const sections = [...groups].map(
    ([tag, list]) =>
      `<section><h2 id="${escapeHtml(tag)}">${escapeHtml(tag)}</h2>${list.map((one) => article(one.path, one.method, one.operation)).join('')}</section>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sallyport API</title><style>${STYLE}</style></head><body><h1>Sallyport API</h1><p>The admin API stands at <code>/admin/v1</code> of the control plane and takes an admin token as bearer token; <code>gateway</code> is the gateway's own. The same as OpenAPI 3.1: <code>GET /admin/v1/openapi.json</code>.</p><nav>${contents}</nav>${sections.join('')}</body></html>\n`;
}

function article(path: string, method: string, operation: JsonObject): string {
  const roles = Array.isArray(operation['x-roles'])
    ? `<p>Roles: ${escapeHtml(operation['x-roles'].join(', '))}.</p>`
    : '';
  const parameters = Array.isArray(operation.parameters) ? operation.parameters.map(objectOf) : [];
  const rows = parameters.map(
    ({ name, in: place, required, schema, description }) =>
      `<tr><td><code>${escapeHtml(String(name))}</code></td><td>${escapeHtml(String(place))}${required === true ? ', needed' : ''}</td><td>${escapeHtml(String(description ?? objectOf(schema).description ?? ''))}</td></tr>`,
  );
  const table =
    rows.length === 0 ? '' : `<table><tr><th>Parameter</th><th>In</th><th></th></tr>${rows.join('')}</table>`;
  return `<article id="${escapeHtml(String(operation.operationId))}"><h3><code>${method.toUpperCase()} ${escapeHtml(path)}</code></h3><p>${escapeHtml(String(operation.summary))}</p>${roles}${table}${content('Body', objectOf(operation.requestBody))}${Object.entries(objectOf(operation.responses)).map(answer).join('')}</article>`;
}

function answer([status, response]: readonly [string, JsonValue | undefined]): string {
  const value = objectOf(response);
  if (Number(status) >= 400)
    return `<p>${status}: ${escapeHtml(String(value.description)).replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</p>`;
  return content(`Answer ${status}`, value) || `<p>Answer ${status}, without a body.</p>`;
}

function content(title: string, value: JsonObject): string {
  const [entry] = Object.entries(objectOf(value.content));
  if (entry === undefined) return '';
  const { schema, example } = objectOf(entry[1]);
  const shown = example === undefined ? '' : `<pre>${escapeHtml(JSON.stringify(example, null, 2))}</pre>`;
  return `<p>${title} (<code>${escapeHtml(entry[0])}</code>):</p>${shown}<details><summary>Schema</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
