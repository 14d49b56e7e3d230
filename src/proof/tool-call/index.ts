export { argumentAt, parseArgumentPath } from './argument-path.ts';
export { isWithin, narrow } from './attenuate.ts';
export { type ArgumentConstraint, parseConstraint, satisfies } from './constraint.ts';
export { type AttemptedCall, covers, namesCall } from './covers.ts';
export { DETAIL_TYPE, parseToolCallDetails, type ToolCallDetail } from './detail.ts';
