import type { JsonObject } from '../../core/index.ts';
import { type HookAnswer, type HookHost, type HookMessage, type HookVerdict, say } from '../message.ts';
import { check, type Envelope, readEnvelope, textOfResult, toolFields } from '../read.ts';

/**
 * Gemini CLI (its hooks reference): `BeforeTool`, `AfterTool`, `BeforeAgent`. It wants an object on standard output in
 * every case, has no ask, and can replace a result before its agent reads it.
 */
export const geminiCli: HookHost = {
  read: (stdin) => readMessage(readEnvelope(stdin)),
  answer,
};

function readMessage({ event, sessionId, members }: Envelope): HookMessage {
  const base = { event, sessionId };
  switch (event) {
    case 'BeforeTool': {
      const { tool_name: tool, tool_input: args, tool_use_id: callId } = check(toolFields, members);
      return { ...base, kind: 'call', callId, tool, args, attended: false };
    }
    case 'AfterTool': {
      const { tool_name: tool, tool_use_id: callId } = check(toolFields, members);
      return {
        ...base,
        kind: 'result',
        callId,
        tool,
        text: textOfResult(members.tool_response),
        replaceable: true,
      };
    }
    case 'BeforeAgent':
      return { ...base, kind: 'prompt', text: textOfResult(members.prompt) };
    default:
      return { ...base, kind: 'notice' };
  }
}

function answer({ kind, event }: HookMessage, verdict: HookVerdict): HookAnswer {
  const { restrain, reason = '', rewriteArgs, replaceResult, appendContext } = verdict;
  if (kind !== 'call' && kind !== 'result') return say({});
  if (restrain !== 'none') return say({ decision: 'deny', reason });
  const specific: JsonObject = {
    ...(kind === 'call' && rewriteArgs !== undefined ? { tool_input: rewriteArgs } : {}),
    ...(kind === 'result' && replaceResult !== undefined ? { tool_output: replaceResult } : {}),
    ...(kind === 'result' && appendContext !== undefined ? { additionalContext: appendContext } : {}),
  };
  return Object.keys(specific).length === 0
    ? say({})
    : say({ hookSpecificOutput: { hookEventName: event, ...specific } });
}
