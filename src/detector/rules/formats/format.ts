import type { Rule, Suppression } from '../rule.ts';

/** A file of rules that can't be used, and what to do about it. */
export interface RuleFault {
  /** Relative to the folder of rules. */
  readonly file: string;
  /** Counted from 1; null: the file as a whole. */
  readonly line: number | null;
  readonly rule: string | null;
  readonly what: string;
  readonly remedy: string;
}

/** A rule of somebody else's pack that is left out, the rest of the pack being used. */
export interface RefusedRule {
  readonly id: string;
  readonly format: string;
  readonly title: string;
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** One file, parsed, and where to put what is found in it. */
export interface RuleSource {
  readonly file: string;
  readonly value: unknown;
  /** The line of a member, or of the nearest thing around it. */
  lineOf(path: readonly PropertyKey[]): number;
  add(rule: Rule): void;
  suppress(suppression: Suppression): void;
  refuse(refused: Omit<RefusedRule, 'file' | 'format'>): void;
  fault(fault: Omit<RuleFault, 'file'>): void;
}

/** A format that rules are written in. */
export interface RuleFormat {
  readonly name: string;
  /** Names of files that are of this format even where they can't be read. */
  readonly names?: RegExp;
  /** Whether the file is one of this format. */
  readonly claims: (value: unknown) => boolean;
  readonly read: (source: RuleSource) => void;
}

/** `a.yaml:12: rule x: what. Remedy.` */
export function formatRuleFault({ file, line, rule, what, remedy }: RuleFault): string {
  const where = line === null ? file : `${file}:${line}`;
  return `${where}: ${rule === null ? '' : `rule ${rule}: `}${what}. ${remedy}`;
}
