import type { HookHost } from '../message.ts';
import { readEnvelope } from '../read.ts';
import { answerToolHost, readToolHost } from './claude-code.ts';

/**
 * Codex speaks the wire of Claude Code and honours a no alone: `ask` and rewritten arguments are ignored there, which
 * would let the call pass. So ask becomes deny; a rewrite that safety needs has to come as deny from the gate. What
 * `block` says after a tool has run is read by the agent instead of the result.
 */
export const codex: HookHost = {
  read: (stdin) => readToolHost(readEnvelope(stdin), { replaces: true }),
  answer: (message, verdict) =>
    answerToolHost(message, verdict, { asks: false, rewrites: false, replaces: true }),
};
