import { Refusal } from '../core/index.ts';
import type { Line, Story } from './line.ts';

/** What went wrong as a refusal; what is none is a fault of ours, and its words stay inside. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const internal = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Refusal('internal_error', { internal: internal.slice(0, 400), cause: error });
}

/**
 * The record of a no: `call.refused` before the permit, `call.failed` after it. A log that can't be written
 * keeps no refusal from the agent: it only keeps calls from being made.
 */
export async function recordRefusal(line: Line, story: Story, refusal: Refusal): Promise<void> {
  const now = line.clock.now();
  try {
    if (story.subject !== null && !story.permitted) {
      line.detector.recordRefusal(story.subject, refusal.code, now);
    }
    if (story.permitted) await line.audit.append(failed(story, refusal, now));
    else if (story.actor === null) await line.recordStranger(refused(story, refusal, now));
    else await line.audit.append(refused(story, refusal, now));
  } catch {
    // The log refuses everything from here on, and says so in the status; see audit_unavailable.
  }
}

function failed(story: Story, refusal: Refusal, now: number) {
  return {
    type: 'call.failed',
    tenant: story.tenant,
    at: now,
    data: {
      callId: story.callId,
      sid: story.actor?.sid ?? '',
      code: refusal.code,
      detail: refusal.detail,
      internal: refusal.internal,
      durationMs: now - story.startedAt,
      requestBytes: story.requestBytes,
      responseBytes: story.responseBytes,
    },
  } as const;
}

function refused(story: Story, refusal: Refusal, now: number) {
  return {
    type: 'call.refused',
    tenant: story.tenant,
    at: now,
    data: {
      call: story.call,
      actor: story.actor,
      code: refusal.code,
      detail: refusal.detail,
      internal: refusal.internal,
      policies: story.policies,
      findings: story.findings,
      remote: story.remote,
    },
  } as const;
}
