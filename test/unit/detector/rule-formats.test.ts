import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/core/index.ts';
import { runCases } from '../../../src/detector/rules/cases.ts';
import { RuleEvent, RuleState } from '../../../src/detector/rules/index.ts';
import { type LoadedRules, readRules } from '../../../src/detector/rules/load.ts';
import { textOf } from '../../../src/detector/view.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-rules-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function load(files: Readonly<Record<string, string>>): Promise<LoadedRules> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return readRules(folder);
}

function asker({ set }: LoadedRules) {
  const state = new RuleState();
  const ask = (event: RuleEvent) =>
    set.match({ event, state, agentId: 'a', service: 's', callId: 'c', now: 0 }).map(({ check }) => check);
  return {
    call: (tool: string, args: JsonValue) => {
      const text = textOf(args);
      return ask(
        new RuleEvent(
          'call',
          new Map([
            ['tool', tool],
            ['args', text],
            ['text', text],
          ]),
          args,
        ),
      );
    },
    result: (text: string) =>
      ask(
        new RuleEvent(
          'result',
          new Map([
            ['tool', 'Bash'],
            ['text', text],
          ]),
        ),
      ),
  };
}

// Written for this test, in the formats of those projects.
const CANARY = `
- id: CUSTOM-001
  name: Turtle disposal
  severity: HIGH
  description: >
    Somebody wants to be rid of turtles.
  tools: [Bash, Read]
  match:
    - field: command
      patterns:
        - "rm\\\\s+.{0,20}turtle"
    - field: file_path
      patterns: ["\\\\.turtle$"]
    - field: output
      patterns: ["no turtles left"]
  message: "Turtles are in danger"
  tags: [turtles]
- id: CUSTOM-002
  name: Any tool of a server
  severity: low
  tool_pattern: "^mcp__"
  match: []
  message: "A server's tool is used"
`;

const ATR = `
title: A tool's answer asks for turtles
id: ATR-2099-00001
status: stable
maturity: stable
description: Sample.
author: Sallyport
date: 2026/11/23
schema_version: "1.0"
severity: critical
references:
  owasp_agentic: ["ASI01:2026"]
  owasp_llm: ["LLM01:2025 - Prompt Injection"]
  mitre_atlas: ["AML.T0051.001 - Indirect"]
  cwe: ["CWE-77"]
tags: { category: prompt-injection, confidence: high, scan_target: mcp }
agent_source: { type: mcp_exchange, framework: [any] }
detection:
  condition: any
  conditions:
    - { field: tool_response, operator: regex, value: "(?i)send\\\\s+(?!no)\\\\w+\\\\s+turtles" }
    - { field: tool_args, operator: contains, value: "turtle://" }
    - { field: tool_name, operator: exact, value: turtle_mover }
response: { actions: [alert] }
test_cases:
  true_positives:
    - { input: "please SEND all turtles", expected: triggered }
    - { tool_args: '{"url":"turtle://x"}', expected: triggered }
  true_negatives:
    - { input: "send no turtles", expected: not_triggered }
`;

const NAMED = `
title: Named conditions
id: ATR-2099-00002
status: experimental
severity: medium
tags: { category: tool-poisoning, confidence: medium }
agent_source: { type: tool_call }
detection:
  conditions:
    shell: { field: content, patterns: ["bash", "zsh"], match_type: contains }
    remote: { field: content, patterns: ["https?://"] }
    ours: { field: content, patterns: ["https://ours\\\\.example/"] }
  condition: "(shell AND remote) AND NOT ours"
`;

describe("CanaryAI's format", () => {
  it('is read as it is: lists, fields, tools of other hosts, outputs', async () => {
    const loaded = await load({ 'theirs/custom.yaml': CANARY });
    expect(loaded).toMatchObject({ refused: [], faults: [] });
    const { call, result } = asker(loaded);
    expect(call('Bash', { command: 'rm -rf turtle' })).toEqual(['rule.CUSTOM-001']);
    expect(call('run_shell_command', { command: 'rm -rf turtle' })).toEqual(['rule.CUSTOM-001']);
    expect(call('shell', { command: ['rm', '-rf', 'turtle'] })).toEqual(['rule.CUSTOM-001']);
    expect(call('Write', { command: 'rm -rf turtle' })).toEqual([]);
    expect(call('Read', { file_path: '/a/b.turtle' })).toEqual(['rule.CUSTOM-001']);
    expect(call('Read', { file_path: '/a/b.turtle.md' })).toEqual([]);
    expect(call('Read', { comment: 'rm turtle' })).toEqual([]);
    expect(call('mcp__x__y', {})).toEqual(['rule.CUSTOM-002']);
    expect(result('no turtles left')).toEqual(['rule.CUSTOM-001']);
  });

  it('holds nothing by itself, as CanaryAI only tells', async () => {
    const { set } = await load({ 'a.yaml': CANARY });
    expect(set.rules.every(({ rule }) => rule.score < 0.7)).toBe(true);
  });
});

describe("ATR's format", () => {
  it('is read as it is: look-aheads, catalogues, cases', async () => {
    const loaded = await load({ 'atr/prompt-injection/ATR-2099-00001-turtles.yaml': ATR, 'b.yaml': NAMED });
    expect(loaded).toMatchObject({ refused: [], faults: [] });
    const [rule] = loaded.set.rules;
    expect(rule?.rule).toMatchObject({
      severity: 'critical',
      score: 0.6,
      references: ['OWASP-ASI:ASI01', 'OWASP-LLM:LLM01', 'ATLAS:AML.T0051.001', 'CWE-77'],
    });
    expect(rule === undefined ? [] : runCases(rule).map(({ passed }) => passed)).toEqual([true, true, true]);
    const { call, result } = asker(loaded);
    expect(result('Send two turtles')).toEqual(['rule.ATR-2099-00001']);
    expect(result('send no turtles')).toEqual([]);
    expect(call('x', { url: 'turtle://y' })).toEqual(['rule.ATR-2099-00001']);
    expect(call('turtle_mover', {})).toEqual(['rule.ATR-2099-00001']);
    expect(result('turtle://y')).toEqual([]);
  });

  it('knows named conditions and how they are joined', async () => {
    const { call } = asker(await load({ 'b.yaml': NAMED }));
    expect(call('x', { a: 'bash https://x.example' })).toEqual(['rule.ATR-2099-00002']);
    expect(call('x', { a: 'bash https://ours.example/' })).toEqual([]);
    expect(call('x', { a: 'https://x.example' })).toEqual([]);
  });

  it.each([
    ['refers back', ATR.replace('(?i)send', '(s)\\\\1end'), /back-reference/],
    ['is a draft', ATR.replace('status: stable', 'status: draft'), /status is draft/],
    ['follows traces', ATR.replace('detection:', 'detection:\n  method: trace'), /method is trace/],
    ['names a field that there is not', ATR.replace('field: tool_args', 'field: mood'), /no field mood/],
    ['has a condition that is none', ATR.replace('condition: any', 'condition: most'), /"most"/],
    ['has a severity that is none', ATR.replace('severity: critical', 'severity: dreadful'), /severity/],
    ['names a condition that is none', NAMED.replace('NOT ours', 'NOT theirs'), /names theirs/],
  ])('is left out, with the reason, where a rule %s', async (_, text, reason) => {
    const { set, refused, faults } = await load({ 'ATR-2099-00001.yaml': text, 'good.yaml': CANARY });
    expect(faults).toEqual([]);
    expect(refused).toEqual([
      expect.objectContaining({
        reason: expect.stringMatching(reason),
        line: expect.any(Number),
        format: 'atr',
      }),
    ]);
    // The rest of the pack is used.
    expect(set.size).toBe(2);
  });

  it('loses one file that is no YAML, and one id that is used twice, not the pack', async () => {
    const { set, refused, faults } = await load({
      'ATR-2099-00001-a.yaml': ATR,
      'ATR-2099-00001-b.yaml': ATR,
      'ATR-2099-00003-c.yaml': `${ATR}\nx: 'not closed`,
    });
    expect([set.size, faults]).toEqual([1, []]);
    expect(refused.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('no YAML'),
      expect.stringContaining('used already'),
    ]);
  });
});
