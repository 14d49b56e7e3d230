export { Flows, type LabelSight } from './flows.ts';
export { LABELS, type Label, Labeller, type LabelRule } from './labels.ts';
