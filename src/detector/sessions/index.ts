export { Sessions } from './sessions.ts';
export type { DecoySight, SessionState } from './state.ts';
