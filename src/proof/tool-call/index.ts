export { isWithin, narrow } from './attenuate.ts';
export { type AttemptedCall, covers, namesCall } from './covers.ts';
export { DETAIL_TYPE, parseToolCallDetails, type ToolCallDetail } from './detail.ts';
