import { type EngineFault, formOf, type PolicyForm, splitPolicies } from './engine.ts';

/** One policy of a file. */
export interface Policy {
  /** `file.cedar#id`; without an `@id` annotation the position in the file stands for it. */
  readonly id: string;
  readonly text: string;
  readonly file: string;
  /** Line of its first character, from 1. */
  readonly line: number;
  readonly effect: 'permit' | 'forbid';
  /** `@hold("reason")`: the call waits for a person even where another policy permits it. */
  readonly hold: string | null;
  /** `@approvers("2")` beside `@hold`: how many different people have to say yes. */
  readonly approvers: 1 | 2;
  /** `@bindHeaders("x-a, x-b")`: header fields that an approval is bound to; lower case. */
  readonly bindHeaders: readonly string[];
  /** What its head names: an agent, an owner, or anybody. */
  readonly principalKey: string;
  /** What its head names: a service, a tool, or anything. */
  readonly resourceKey: string;
  /** The action that its head names; null: any. */
  readonly action: string | null;
  /** True when a condition looks at `context.body`. */
  readonly readsBody: boolean;
  /** True when a condition may look at `context.time`, which differs from call to call. */
  readonly readsTime: boolean;
}

/** A fault that an administrator can go to. */
export interface PolicyFault {
  readonly file: string;
  readonly line: number | null;
  readonly message: string;
}

export const ANYBODY = '*';
export const ANYTHING = '*';
export const agentKey = (name: string): string => `agent ${name}`;
export const ownerKey = (name: string): string => `owner ${name}`;
export const resourceKey = (type: string, id: string): string => `${type} ${id}`;

/** Reads one file. Either all of its policies are good, or `faults` says where they are not. */
export function parsePolicyFile(
  file: string,
  text: string,
): { readonly policies: readonly Policy[]; readonly faults: readonly PolicyFault[] } {
  const split = splitPolicies(text);
  if ('faults' in split) {
    return { policies: [], faults: split.faults.map((fault) => placeFault(fault, file, text, 0)) };
  }
  const faults: PolicyFault[] = [];
  const located = split.texts
    .map((one) => ({ one, offset: text.indexOf(one) }))
    .sort((left, right) => left.offset - right.offset);
  const policies = located.map(({ one, offset }, index) =>
    toPolicy(file, one, lineAt(text, offset), index, faults),
  );
  for (const [id, same] of Map.groupBy(policies, (policy) => policy.id)) {
    const second = same[1];
    if (second !== undefined)
      faults.push({ file, line: second.line, message: `the id ${id} stands here a second time` });
  }
  return { policies, faults };
}

export function placeFault(fault: EngineFault, file: string, text: string, base: number): PolicyFault {
  const line = fault.offset === null ? null : lineAt(text, base + fault.offset);
  return { file, line, message: fault.message };
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, Math.max(0, offset)).split('\n').length;
}

const ANNOTATIONS: ReadonlySet<string> = new Set(['id', 'hold', 'approvers', 'bindHeaders', 'description']);
const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

function toPolicy(file: string, text: string, line: number, index: number, faults: PolicyFault[]): Policy {
  const form = formOf(text);
  // Cedar's own tree: escapes in the text ("\u{74}ime") are resolved there.
  const conditions = JSON.stringify(form.conditions);
  const annotations = form.annotations ?? {};
  const fault = (message: string): void => void faults.push({ file, line, message });
  for (const name of Object.keys(annotations)) {
    if (!ANNOTATIONS.has(name))
      fault(`there is no annotation @${name}; known are @${[...ANNOTATIONS].join(', @')}`);
  }
  const hold = annotations.hold ?? null;
  if (hold !== null && form.effect === 'forbid') fault('@hold stands on a permit; a forbid refuses anyway');
  if (hold !== null && hold.trim() === '') fault('@hold needs the reason that a person is shown');
  const approvers = annotations.approvers ?? null;
  if (approvers !== null && hold === null)
    fault('@approvers stands beside @hold: it says who lifts the hold');
  if (approvers !== null && approvers !== '1' && approvers !== '2')
    fault('@approvers is "1" or "2": so many different people have to say yes');
  const bindHeaders = (annotations.bindHeaders ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  for (const name of bindHeaders)
    if (!FIELD_NAME.test(name)) fault(`@bindHeaders: ${JSON.stringify(name)} is no header name`);
  return {
    id: `${file}#${annotations.id ?? index + 1}`,
    text,
    file,
    line,
    effect: form.effect,
    hold,
    approvers: approvers === '2' ? 2 : 1,
    bindHeaders,
    principalKey: principalKeyOf(form),
    resourceKey: resourceKeyOf(form),
    action: form.action.op === '==' && 'entity' in form.action ? toUid(form.action.entity).id : null,
    readsBody: conditions.includes('"attr":"body"'),
    readsTime: conditions.includes('"time"'),
  };
}

function principalKeyOf({ principal }: PolicyForm): string {
  if (principal.op === '==' && 'entity' in principal) {
    const { type, id } = toUid(principal.entity);
    if (type === 'Agent') return agentKey(id);
  }
  if (principal.op === 'in' && 'entity' in principal) {
    const { type, id } = toUid(principal.entity);
    if (type === 'Owner') return ownerKey(id);
    if (type === 'Agent') return agentKey(id);
  }
  return ANYBODY;
}

function resourceKeyOf({ resource }: PolicyForm): string {
  if ((resource.op === '==' || resource.op === 'in') && 'entity' in resource) {
    const { type, id } = toUid(resource.entity);
    return resourceKey(type, id);
  }
  return ANYTHING;
}

type Uid = { readonly type: string; readonly id: string };

function toUid(entity: Uid | { readonly __entity: Uid }): Uid {
  return '__entity' in entity ? entity.__entity : entity;
}
