export { Flows, type LabelSight } from './flows.ts';
export { type Label, Labeller, type LabelRule } from './labels.ts';
