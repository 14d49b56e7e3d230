import type { EngineAnswer, EngineRequest } from './engine.ts';

const KEPT = 256;
/** A longer question (arguments of a tool, mostly) seldom comes twice. */
const MAX_KEY_CHARS = 4096;

/**
 * Answers of Cedar for one slice of one policy set. Cedar is a pure function of policies and question, so the
 * same question has the same answer for as long as the slice lives. The whole question is the key, all but
 * `context.time`: a slice with a policy that may look at the time has no memo, nor one that looks at bodies.
 * What a passport, a revocation or an approval says is asked elsewhere, every time.
 */
export class AnswerMemo {
  readonly #answers = new Map<string, EngineAnswer>();

  answer(request: EngineRequest, ask: () => EngineAnswer): EngineAnswer {
    const key = JSON.stringify({ ...request, context: { ...request.context, time: 0 } });
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = ask();
    // A policy that failed is asked again: the reason may lie with Cedar and not with the question.
    if (answer.errors.length > 0 || key.length > MAX_KEY_CHARS) return answer;
    if (this.#answers.size >= KEPT) this.#answers.clear();
    this.#answers.set(key, answer);
    return answer;
  }
}
