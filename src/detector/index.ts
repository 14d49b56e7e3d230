export type { Detector, DetectorOptions } from './detector.ts';
export { openDetector } from './detector.ts';
export { RuleError } from './rules/load.ts';
export type { BaselineStore, DecoyRecord, DecoyStore, RiskRecord, RiskStore } from './store.ts';
