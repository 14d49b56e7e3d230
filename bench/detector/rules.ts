import { compileRule } from '../../src/detector/rules/compile.ts';
import { loadRules, RuleEvent, RuleState } from '../../src/detector/rules/index.ts';
import type { Rule } from '../../src/detector/rules/rule.ts';
import { RuleSet } from '../../src/detector/rules/rule-set.ts';
import { textOf } from '../../src/detector/view.ts';
import type { Sample } from './samples.ts';

/** The shipped rules, and as many made-up ones of the same build as make 800. */
export async function eightHundredRules(directory: string): Promise<RuleSet> {
  const shipped = (await loadRules(directory)).rules;
  const made = Array.from({ length: 800 - shipped.length }, (_, number) => compileRule(ruleOf(number)));
  return new RuleSet([...shipped, ...made]);
}

/** Milliseconds that the rules take for each call; events are made as the detector makes them. */
export function ruleTimes(set: RuleSet, samples: readonly Sample[]): readonly number[] {
  const state = new RuleState();
  return samples.map(({ tool, args, callId }, number) => {
    const begin = performance.now();
    const text = textOf(args);
    const fields = new Map([
      ['tool', tool],
      ['args', text],
      ['text', text],
    ]);
    const event = new RuleEvent('call', fields, args);
    set.match({ event, state, agentId: 'bench', service: tool, callId, now: number * 1000 });
    return performance.now() - begin;
  });
}

/** Programs and options that no sample names, beside words that they do: some expressions have to be run. */
function ruleOf(number: number): Rule {
  const word = number.toString(36).padStart(3, 'q');
  const common = ['report', 'invoice', 'mail', 'pages'][number % 4] ?? 'report';
  const regex =
    number % 10 === 0
      ? `\\b${common}\\b[^\\n]{0,80}\\s--${word}\\b`
      : `\\b(tool${word}|prog${word})\\s+(-\\S+\\s+)*(${common}|send)[^\\n;|]{0,160}(--to|=)\\s*https?://`;
  return {
    id: `made-${number}`,
    format: 'sallyport',
    title: 'Made for this measurement',
    description: '',
    severity: 'low',
    score: 0.1,
    references: [],
    on: ['call'],
    match: { field: 'args', regex },
    cases: { match: [], pass: [] },
    place: { file: 'bench', line: 1 },
  };
}
