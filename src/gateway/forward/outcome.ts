import type { Line, Story } from '../line.ts';
import type { RelayResult } from './relay.ts';
import type { Sent } from './send.ts';

/** Step 10: what came of the call. The answer is with the agent already; a log that fails now refuses the next. */
export async function recordCompletion(
  line: Line,
  story: Story,
  sid: string,
  result: RelayResult,
  sent: Sent,
): Promise<void> {
  const now = line.clock.now();
  await line.audit.append({
    type: 'call.completed',
    tenant: story.tenant,
    at: now,
    data: {
      callId: story.callId,
      sid,
      status: result.status,
      durationMs: now - story.startedAt,
      requestBytes: story.requestBytes,
      responseBytes: story.responseBytes,
      requestDigest: sent.requestDigest(),
      scrubbed: result.scrubbed,
      findings: story.findings,
    },
  });
}
