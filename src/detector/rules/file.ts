import type { RuleFile } from './files.ts';
import type { RefusedRule, RuleFault } from './formats/format.ts';
import { FORMATS } from './formats/index.ts';
import type { Rule, Suppression } from './rule.ts';
import { isFaults, parseYaml } from './yaml.ts';

/** Where what is found in files goes. */
interface Basket {
  readonly rules: Rule[];
  readonly suppressions: Suppression[];
  readonly refused: RefusedRule[];
  readonly faults: RuleFault[];
}

/** Reads one file into the basket: its rules, or what is wrong with it. Throws nothing for what a file holds. */
export function readRuleFile({ name: file, text }: RuleFile, basket: Basket): void {
  const parsed = parseYaml(text);
  if (isFaults(parsed)) {
    // One file of somebody else's pack that no parser of YAML takes is not to cost the rest of the pack.
    const pack = FORMATS.find(({ names }) => names?.test(file));
    const [first] = parsed;
    if (pack !== undefined && first !== undefined) {
      const id = file.split('/').at(-1) ?? file;
      basket.refused.push({
        id: id.slice(0, 14),
        title: '',
        format: pack.name,
        file,
        line: first.line ?? 1,
        reason: first.what,
      });
      return;
    }
    basket.faults.push(...parsed.map((fault) => ({ ...fault, file, rule: null })));
    return;
  }
  const { value, lineOf } = parsed;
  // An empty file, or one of comments alone, says nothing.
  if (value === undefined || value === null) return;
  const format = FORMATS.find((one) => one.claims(value));
  if (format === undefined) {
    basket.faults.push({
      file,
      line: 1,
      rule: null,
      what: 'it is in no format of rules',
      remedy: 'Begin with "rules:"; see docs/reference/detector.md, "Rules".',
    });
    return;
  }
  format.read({
    file,
    value,
    lineOf,
    add: (rule) => basket.rules.push(rule),
    suppress: (suppression) => basket.suppressions.push(suppression),
    refuse: (refused) => basket.refused.push({ ...refused, file, format: format.name }),
    fault: (one) => basket.faults.push({ ...one, file }),
  });
}
