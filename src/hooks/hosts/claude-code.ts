import type { JsonObject } from '../../core/index.ts';
import {
  type HookAnswer,
  type HookHost,
  type HookMessage,
  type HookVerdict,
  SILENCE,
  say,
} from '../message.ts';
import { check, type Envelope, readEnvelope, textOfResult, toolFields } from '../read.ts';

/**
 * Claude Code (its hooks reference): `PreToolUse`, `PermissionRequest`, `PostToolUse`, `UserPromptSubmit`; deny and ask
 * are said in `hookSpecificOutput`, silence leaves the host's own question to its user as it is.
 */
export const claudeCode: HookHost = {
  read: (stdin) => readToolHost(readEnvelope(stdin), { replaces: false }),
  answer: (message, verdict) =>
    answerToolHost(message, verdict, { asks: true, rewrites: true, replaces: false }),
};

/** Permission modes in which nobody is asked. */
const UNATTENDED: ReadonlySet<string> = new Set(['bypassPermissions', 'dontAsk']);

/** Messages of Claude Code, and of hosts that took over its wire. Throws HookInputError. */
export function readToolHost(
  { event, sessionId, members }: Envelope,
  { replaces }: { readonly replaces: boolean },
): HookMessage {
  const base = { event, sessionId };
  switch (event) {
    case 'PreToolUse':
    case 'PermissionRequest': {
      const { tool_name: tool, tool_input: args, tool_use_id: callId } = check(toolFields, members);
      const attended = !UNATTENDED.has(textOfResult(members.permission_mode));
      return { ...base, kind: event === 'PreToolUse' ? 'call' : 'permission', callId, tool, args, attended };
    }
    case 'PostToolUse': {
      const { tool_name: tool, tool_use_id: callId } = check(toolFields, members);
      return {
        ...base,
        kind: 'result',
        callId,
        tool,
        text: textOfResult(members.tool_response),
        replaceable: replaces,
      };
    }
    case 'UserPromptSubmit':
      return { ...base, kind: 'prompt', text: textOfResult(members.prompt) };
    default:
      return { ...base, kind: 'notice' };
  }
}

/** How a verdict is said on this wire. A host that can't ask takes a no for it: its silence would let the call pass. */
export function answerToolHost(
  message: HookMessage,
  verdict: HookVerdict,
  can: { readonly asks: boolean; readonly rewrites: boolean; readonly replaces: boolean },
): HookAnswer {
  const { event } = message;
  const { restrain, reason = '', rewriteArgs, replaceResult, appendContext } = verdict;
  const specific = (members: JsonObject) => say({ hookSpecificOutput: { hookEventName: event, ...members } });
  switch (message.kind) {
    case 'call':
      if (restrain !== 'none') {
        const permissionDecision = restrain === 'ask' && can.asks && message.attended ? 'ask' : 'deny';
        return specific({ permissionDecision, permissionDecisionReason: reason });
      }
      return rewriteArgs !== undefined && can.rewrites ? specific({ updatedInput: rewriteArgs }) : SILENCE;
    case 'permission':
      // The host is asking its user already; only a no adds to that.
      return restrain === 'deny' ? specific({ decision: { behavior: 'deny', message: reason } }) : SILENCE;
    case 'result':
      if (restrain !== 'none') return say({ decision: 'block', reason });
      if (replaceResult !== undefined && can.replaces) {
        const context = appendContext === undefined ? '' : `${appendContext}\n`;
        return say({ decision: 'block', reason: `${context}${replaceResult}` });
      }
      return appendContext === undefined ? SILENCE : specific({ additionalContext: appendContext });
    default:
      return SILENCE;
  }
}
