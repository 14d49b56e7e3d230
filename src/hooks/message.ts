import type { JsonObject, JsonValue } from '../core/index.ts';

/** What a host told its hook, in the terms of the gate. */
export type HookMessage = HookCall | HookResult | HookPrompt | HookNotice;

interface MessageBase {
  /** The host's own name of the event; answers repeat it. */
  readonly event: string;
  /** The host's id of the session; empty when it gave none. */
  readonly sessionId: string;
}

/** A tool is about to run, or the host is about to ask its user whether it may. */
export interface HookCall extends MessageBase {
  readonly kind: 'call' | 'permission';
  readonly callId: string;
  readonly tool: string;
  readonly args: JsonObject;
  /** False where the host asks nobody (it runs unattended): an ask has to be a no there. */
  readonly attended: boolean;
}

/** A tool has answered, and its agent is about to read it. */
export interface HookResult extends MessageBase {
  readonly kind: 'result';
  readonly callId: string;
  readonly tool: string;
  readonly text: string;
  /** Whether the host gives its agent another result to read, when the hook says so. */
  readonly replaceable: boolean;
}

/** The user has said something. */
export interface HookPrompt extends MessageBase {
  readonly kind: 'prompt';
  readonly text: string;
}

/** Anything else that a host tells: nothing to decide. */
export interface HookNotice extends MessageBase {
  readonly kind: 'notice';
}

/**
 * What the gate says to a message. It only ever restrains: `none` is silence, so that the host's own questions to its
 * user stay as they are.
 */
export interface HookVerdict {
  readonly restrain: 'deny' | 'ask' | 'none';
  /** For the agent and its user; needed unless `none`. */
  readonly reason?: string;
  /** Arguments to run the tool with instead. */
  readonly rewriteArgs?: JsonObject;
  /** What the agent is to read instead of the result. */
  readonly replaceResult?: string;
  /** What the agent is to read beside the result. */
  readonly appendContext?: string;
}

/** What a hook process answers to its host. */
export interface HookAnswer {
  readonly exitCode: 0 | 2;
  /** The whole of standard output; empty for silence. */
  readonly stdout: string;
  /** One sentence, or empty. */
  readonly stderr: string;
}

/** A host whose hooks are spoken: how its messages read, and how verdicts are said to it. */
export interface HookHost {
  /** Throws HookInputError when the input is not what this host sends. */
  read(stdin: string): HookMessage;
  answer(message: HookMessage, verdict: HookVerdict): HookAnswer;
}

/** The input of a hook could not be understood. A hook that does not know what it is asked says no. */
export class HookInputError extends Error {
  constructor(what: string) {
    super(`The hook input was not understood: ${what}.`);
    this.name = 'HookInputError';
  }
}

/** Silence: the host does as if there were no hook. */
export const SILENCE: HookAnswer = { exitCode: 0, stdout: '', stderr: '' };

/** Blocks whatever the host asked about; every host takes this exit code for a no. */
export function blocked(sentence: string): HookAnswer {
  return { exitCode: 2, stdout: '', stderr: `${sentence}\n` };
}

export function say(value: JsonValue): HookAnswer {
  return { exitCode: 0, stdout: JSON.stringify(value), stderr: '' };
}
