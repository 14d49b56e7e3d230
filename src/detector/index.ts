export type { BaitSettings, OutboundScanner } from './decoys/index.ts';
export type { Detector, DetectorOptions } from './detector.ts';
export { openDetector } from './detector.ts';
export { hintsOf } from './labels/index.ts';
export { thresholdsOf } from './profiles.ts';
export { exportTraces } from './record/export.ts';
export { Recorder } from './record/recorder.ts';
export { type Change, Earlier } from './replay/diff.ts';
export {
  type Curve,
  type Figures,
  labelSchema,
  Measure,
  recallAt,
  scoreSchema,
} from './replay/measure.ts';
export { openReplay, type Replay, type ReplayLine } from './replay/replay.ts';
export { readAll, readLines, TraceError, textSchema, traceSchema } from './replay/trace.ts';
export { listRules, loadRules, RuleError, type RuleTestReport, testRules } from './rules/index.ts';
export type { BaselineStore, DecoyRecord, DecoyStore, RiskRecord, RiskStore } from './store.ts';
