import { ATR } from './atr.ts';
import { CANARYAI } from './canaryai.ts';
import type { RuleFormat } from './format.ts';
import { SALLYPORT } from './sallyport.ts';

/** Every format; the first that claims a file reads it. */
export const FORMATS: readonly RuleFormat[] = [SALLYPORT, ATR, CANARYAI];
