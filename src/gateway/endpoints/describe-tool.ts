import { hintsOf } from '../../detector/index.ts';
import type { VerifiedPassport } from '../../passport/index.ts';
import type { Line } from '../line.ts';
import type { HookBody } from './hook-body.ts';

/**
 * What a host has read of a tool in its server's list. The host speaks with the agent's passport, so that it is believed
 * where it makes the tool stricter, and nowhere else.
 */
export function describeTool(
  line: Pick<Line, 'detector' | 'clock'>,
  { subject }: Pick<VerifiedPassport, 'subject'>,
  { tool, annotations }: Pick<HookBody, 'tool' | 'annotations'>,
): void {
  if (Object.keys(annotations).length === 0) return;
  line.detector.describeTool({
    subject,
    tool: { name: tool, hints: hintsOf(annotations) },
    now: line.clock.now(),
  });
}
