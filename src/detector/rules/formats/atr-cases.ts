import { z } from 'zod';
import type { Case, EventKind, Rule } from '../rule.ts';

export const caseSchema = z.record(z.string(), z.unknown());
type AtrCase = z.infer<typeof caseSchema>;

export interface AtrCases {
  readonly true_positives: readonly AtrCase[];
  readonly true_negatives: readonly AtrCase[];
}

/** Their cases as events: what has arguments is a call, other texts are what the rule looks at. */
export function casesOf(cases: AtrCases, on: readonly EventKind[]): Rule['cases'] {
  const all = (list: readonly AtrCase[]): readonly Case[] => list.map((one) => [sampleOf(one, on)]);
  return { match: all(cases.true_positives), pass: all(cases.true_negatives) };
}

function sampleOf(one: AtrCase, on: readonly EventKind[]): Case[number] {
  const outer = new Map(Object.entries(one));
  const input = outer.get('input');
  // Their input may itself be an event: {tool_name, tool_args, …}.
  const event = new Map([...outer, ...(isRecord(input) ? Object.entries(input) : [])]);
  const call = event.get('tool_call');
  if (isRecord(call)) {
    event.set('tool_name', call.name);
    event.set('tool_args', call.args ?? call.arguments);
  }
  const args = textOf(event.get('tool_args'));
  const words = TEXTS.map((name) => textOf(event.get(name))).filter((text) => text !== '');
  if (words.length === 0 && isRecord(input)) words.push(JSON.stringify(input));
  const plain = words.join('\n');
  const isCall = on.includes('call') && (args !== '' || plain === '' || !on.includes('result'));
  const fields = new Map<string, unknown>([['tool', textOf(event.get('tool_name'))]]);
  if (isCall) fields.set('args', args === '' ? plain : [args, plain].filter(Boolean).join('\n'));
  else fields.set('text', plain === '' ? args : plain);
  return { on: isCall ? 'call' : 'result', afterMs: 1000, times: 1, fields };
}

const TEXTS = [
  'tool_response',
  'response',
  'tool_description',
  'agent_output',
  'user_input',
  'content',
  'input',
] as const;

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null || isRecord(value) ? recordText(value) : String(value);
}

function recordText(value: unknown): string {
  return isRecord(value) && !('tool_args' in value) && !('tool_name' in value) ? JSON.stringify(value) : '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
