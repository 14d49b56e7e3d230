import { createHash } from 'node:crypto';
import { runCases } from './cases.ts';
import { type CompiledRule, compileRule } from './compile.ts';
import { readRuleFile } from './file.ts';
import { listRuleFiles, type RuleFile } from './files.ts';
import { formatRuleFault, type RefusedRule, type RuleFault } from './formats/format.ts';
import type { Rule, Suppression } from './rule.ts';
import { RuleSet } from './rule-set.ts';

/** The rules of a folder can't be used; `faults` names each file, line and rule. */
export class RuleError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly RuleFault[]) {
    const lines = faults.map(formatRuleFault);
    super(`The detection rules can not be used:\n${lines.map((one) => `  - ${one}`).join('\n')}`);
    this.name = 'RuleError';
    this.faults = lines;
  }
}

/** What a folder, or some files, hold. */
export interface LoadedRules {
  readonly set: RuleSet;
  /** Rules of others' packs that are left out. */
  readonly refused: readonly RefusedRule[];
  readonly faults: readonly RuleFault[];
  /** Of names and texts of the files: the same when nothing has changed. */
  readonly digest: string;
}

/** Reads the rules of a folder and what lies below it, and throws RuleError with all faults at once. */
export async function loadRules(directory: string): Promise<RuleSet> {
  const { set, faults } = await readRules(directory);
  if (faults.length > 0) throw new RuleError(faults);
  return set;
}

/** The same, for who wants to see what is wrong: nothing is thrown for what the files hold. */
export async function readRules(
  directory: string,
  { only, runCases: testing = true }: ReadOptions = {},
): Promise<LoadedRules> {
  const found = new Found({ testing, whole: only === undefined });
  for await (const file of listRuleFiles(directory, only, found.faults)) {
    found.add(file);
    // Other calls are served between two files.
    await new Promise(setImmediate);
  }
  return found.loaded();
}

const OWN = 'sallyport';
interface ReadOptions {
  /** These files instead of those of the folder. */
  readonly only?: readonly string[];
  /** Whether a rule that fails its own cases is a fault; default: it is. */
  readonly runCases?: boolean;
}

/** Faults that are told; a file of nothing but faults has more. */
const MAX_FAULTS = 200;

class Found {
  readonly rules: Rule[] = [];
  readonly suppressions: Suppression[] = [];
  readonly refused: RefusedRule[] = [];
  readonly faults: RuleFault[] = [];
  readonly #digest = createHash('sha256');
  readonly #options: { readonly testing: boolean; readonly whole: boolean };

  constructor(options: { readonly testing: boolean; readonly whole: boolean }) {
    this.#options = options;
  }

  add(file: RuleFile): void {
    this.#digest.update(`${file.name}\0${file.text}\0`);
    readRuleFile(file, this);
  }

  loaded(): LoadedRules {
    const compiled: CompiledRule[] = [];
    const places = new Map<string, Rule>();
    for (const rule of this.rules) {
      const other = places.get(rule.id);
      places.set(rule.id, other ?? rule);
      if (other === undefined) compiled.push(...this.#compile(rule));
      else this.#leaveOut(rule, `the id is used already (${other.place.file}:${other.place.line})`);
    }
    // Of some files of a folder, a suppression may name a rule of the others.
    for (const { rules, place } of this.#options.whole ? this.suppressions : []) {
      for (const id of rules.filter((one) => !places.has(one)))
        this.faults.push({
          ...place,
          rule: id,
          what: 'there is no such rule to suppress',
          remedy: 'Correct the id, or take the suppression out.',
        });
    }
    return {
      set: new RuleSet(compiled, this.suppressions),
      refused: this.refused,
      faults: this.faults.slice(0, MAX_FAULTS),
      digest: this.#digest.digest('base64url'),
    };
  }

  #compile(rule: Rule): readonly CompiledRule[] {
    try {
      const compiled = compileRule(rule);
      // Others' cases are theirs to keep; `sallyport detector test` tells how they fare.
      if (rule.format !== OWN || !this.#options.testing) return [compiled];
      for (const { kind, number, passed } of runCases(compiled)) {
        if (passed) continue;
        const what = `case ${number} of cases.${kind} ${kind === 'match' ? 'does not match' : 'matches'}`;
        this.#faultOf(rule, what);
      }
      return [compiled];
    } catch (cause) {
      this.#leaveOut(rule, cause instanceof Error ? cause.message : String(cause));
      return [];
    }
  }

  /** A broken rule of ours is a fault; of somebody else's pack, the rest is used. */
  #leaveOut(rule: Rule, reason: string): void {
    const { id, format, title, place } = rule;
    if (format === OWN) this.#faultOf(rule, reason);
    else this.refused.push({ id, format, title, reason, ...place });
  }

  #faultOf({ id, place }: Rule, what: string): void {
    this.faults.push({ ...place, rule: id, what, remedy: 'Correct the rule, or take it out.' });
  }
}
