import { stat } from 'node:fs/promises';
import type { Severity } from '../../core/index.ts';
import { type CaseResult, runCases } from './cases.ts';
import { formatRuleFault, type RefusedRule } from './formats/format.ts';
import { type LoadedRules, readRules } from './load.ts';
import type { EventKind, Rule } from './rule.ts';

/** One rule as it is listed. */
export interface RuleLine {
  readonly id: string;
  /** The format that it is written in. */
  readonly format: string;
  readonly on: readonly EventKind[];
  readonly severity: Severity;
  readonly score: number;
  readonly title: string;
  readonly references: readonly string[];
  readonly file: string;
  readonly line: number;
}

/** What is in force when these files are: rules, what is left out, what is silenced, what is wrong. */
export interface RuleListing {
  readonly rules: readonly RuleLine[];
  readonly refused: readonly RefusedRule[];
  readonly suppressions: readonly {
    readonly rules: readonly string[];
    readonly agents: readonly string[];
    readonly services: readonly string[];
    /** Milliseconds since the epoch; null: never. */
    readonly expiresAt: number | null;
    readonly reason: string;
  }[];
  readonly faults: readonly string[];
}

export interface RuleTest extends RuleLine {
  readonly cases: number;
  readonly failed: readonly Omit<CaseResult, 'rule' | 'passed'>[];
}

/** How rules fare with their own cases. */
export interface RuleTestReport {
  /** No fault, and every case as expected. */
  readonly ok: boolean;
  readonly cases: number;
  readonly passed: number;
  readonly rules: readonly RuleTest[];
  readonly refused: readonly RefusedRule[];
  readonly faults: readonly string[];
}

/** The rules of a folder, for people who want to see them. */
export async function listRules(directory: string): Promise<RuleListing> {
  const { set, refused, faults } = await readRules(directory);
  return {
    rules: set.rules.map(({ rule }) => lineOf(rule)),
    refused,
    suppressions: set.suppressions.map(({ place: _, ...suppression }) => suppression),
    faults: faults.map(formatRuleFault),
  };
}

/** Runs the embedded cases of the rules in these files and folders. Throws what the file system throws. */
export async function testRules(paths: readonly string[]): Promise<RuleTestReport> {
  const loaded: LoadedRules[] = [];
  for (const path of paths) {
    const isFolder = (await stat(path)).isDirectory();
    loaded.push(await readRules(path, isFolder ? { runCases: false } : { runCases: false, only: [path] }));
  }
  const faults = loaded.flatMap((one) => one.faults.map(formatRuleFault));
  const rules: RuleTest[] = [];
  for (const compiled of loaded.flatMap(({ set }) => set.rules)) {
    const results = runCases(compiled);
    const failed = results.filter(({ passed }) => !passed).map(({ kind, number }) => ({ kind, number }));
    rules.push({ ...lineOf(compiled.rule), cases: results.length, failed });
  }
  const cases = rules.reduce((sum, one) => sum + one.cases, 0);
  const failed = rules.reduce((sum, one) => sum + one.failed.length, 0);
  return {
    ok: faults.length === 0 && failed === 0,
    cases,
    passed: cases - failed,
    rules,
    refused: loaded.flatMap((one) => one.refused),
    faults,
  };
}

function lineOf({ id, format, on, severity, score, title, references, place }: Rule): RuleLine {
  return { id, format, on, severity, score, title, references, ...place };
}
