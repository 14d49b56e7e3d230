export { orderedIn, sentencesIn } from './commands.ts';
export { hiddenIn } from './decode.ts';
export { fold } from './fold.ts';
export { type Deed, deedOfRequest, deedOfTool, type Following, follow } from './follow.ts';
export { Provenance } from './memory.ts';
export type { Sentence } from './sentences.ts';
export { isAuthority, tokensOf, toolWords } from './tokens.ts';
export { onlyReads } from './verbs.ts';
