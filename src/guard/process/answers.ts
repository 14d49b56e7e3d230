import type { GuardAnswer, GuardRequest } from './messages.ts';

type Body<T extends GuardAnswer['type']> = Omit<Extract<GuardAnswer, { type: T }>, 'type' | 'id'>;
export type ScoreOrder = Pick<Extract<GuardRequest, { type: 'score' }>, 'segments' | 'labels' | 'deadlineMs'>;

/** What stands behind a line: an engine in this process, or another guard. Each rejects with GuardFault. */
export interface Answers {
  score(order: ScoreOrder, signal: AbortSignal): Promise<Body<'scores'>>;
  stats(): Promise<Body<'stats'>>;
  examine(): Promise<Body<'examined'>>;
}
