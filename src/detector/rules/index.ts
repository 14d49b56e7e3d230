export { RuleEvent } from './event.ts';
export { RuleKeeper, type RulesReload } from './keeper.ts';
export { loadRules, RuleError } from './load.ts';
export { listRules, type RuleTestReport, testRules } from './report.ts';
export type { Occasion } from './rule-set.ts';
export { RuleState } from './state.ts';
