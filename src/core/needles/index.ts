export type { NeedleHit, NeedleMatcher, Needles } from './matcher.ts';
export { compileNeedles } from './matcher.ts';
