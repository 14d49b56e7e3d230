import type { ApprovalRecord } from '../../approvals/index.ts';
import type { JsonValue } from '../../core/index.ts';
import { type Html, html } from './html.ts';

/** What stands before and after a text that its reader must not take for ours. */
type Show = (value: JsonValue) => Html;

const word: Show = (value) => html`${visible(textOf(value))}`;
const code: Show = (value) => html`<span class="code">${visible(textOf(value))}</span>`;
const block: Show = (value) => html`<pre class="code" tabindex="0">${visible(textOf(value))}</pre>`;
const quote: Show = (value) => html`<q>${visible(textOf(value))}</q>`;
const list: Show = (value) =>
  Array.isArray(value) ? html`<ul>${value.map((one) => html`<li>${code(one)}</li>`)}</ul>` : code(value);
const fields: Show = (value) =>
  Array.isArray(value)
    ? html`<ul>${value.map((one) => html`<li>${code(Array.isArray(one) ? one.map(textOf).join(': ') : one)}</li>`)}</ul>`
    : block(value);

/** In this order; what is null or empty is left out. */
const ROWS: readonly (readonly [member: string, label: string, show: Show])[] = [
  ['agent', 'Agent', word],
  ['owner', 'Who answers for it', word],
  ['purpose', 'What it is for, says the administrator', word],
  ['reason', 'Why it is asked', word],
  ['policies', 'By policy', list],
  ['messageOfAgent', 'The agent says (nobody has checked it)', quote],
  ['service', 'Service', word],
  ['method', 'Method', code],
  ['url', 'Address', code],
  ['headers', 'Header fields', fields],
  ['tool', 'Tool', code],
  ['args', 'Arguments', block],
  ['scope', 'It may then', code],
  ['audience', 'At', code],
  ['details', 'In detail', block],
  ['mayAct', 'It may pass this on to', list],
  ['maxDepth', 'So many times', word],
  ['lifetimeSeconds', 'For so many seconds', word],
  ['credential', 'With the credential', word],
];

/** Exactly what an approval is for. Most of it is the agent's own words: text, whatever it says. */
export function approvalView({ shown }: ApprovalRecord): Html {
  const rows = ROWS.flatMap(([member, label, show]) => {
    const value = shown[member];
    return isNothing(value) ? [] : [html`<dt>${label}</dt><dd>${show(value)}</dd>`];
  });
  return html`<dl>${rows}${bodyOf(shown)}</dl>`;
}

function bodyOf(shown: ApprovalRecord['shown']): Html | null {
  const { body, bodyCut, bodyBytes } = shown;
  if (typeof body !== 'string') return null;
  return html`<dt>Body, ${textOf(bodyBytes ?? null)} bytes</dt><dd>${block(body)}${
    bodyCut === true &&
    html`<p class="fault">This is the beginning alone. The rest was not checked by you.</p>`
  }</dd>`;
}

function isNothing(value: JsonValue | undefined): value is null | undefined {
  return (
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

/** One line that says what waits. */
export function approvalTitle({ shown }: ApprovalRecord): string {
  const { method, service, tool, kind } = shown;
  if (kind === 'passport') return 'wants a passport in your name';
  if (typeof tool === 'string') return `wants to call the tool ${visible(tool)}`;
  return `wants to send ${visible(textOf(method ?? null))} to ${visible(textOf(service ?? null))}`;
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** What would turn text around or hide in it stands as its number: nobody can make a line look like another one. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\u115F\u1160\u3164\uFFA0]/gu, (char) =>
    char === '\n' || char === '\t'
      ? char
      : `‹U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`,
  );
}
