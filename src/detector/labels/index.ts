export { Catalogues, type ToolCatalogue } from './catalogue.ts';
export { Flows, type LabelSight } from './flows.ts';
export { hintsOf, type ToldTool } from './hints.ts';
export type { Label } from './label.ts';
export { Labeller, type LabelRule } from './labels.ts';
export { ToolListReader } from './tool-list.ts';
