import type { IncomingMessage } from 'node:http';
import type { Row } from '../lib/report.ts';
import { quantile, rounded } from '../lib/statistics.ts';
import type { BenchService } from '../sallyport/service.ts';
import { Holder } from './holder.ts';
import { spread } from './next-call.ts';

const LONGEST_MS = 5_000;

/**
 * An answer streams through the gateway while its passport is revoked: from the acknowledgement to the end of the
 * stream at the agent. Where the stream ended before the administrator had his answer, that is 0.
 */
export async function measureStreams(service: BenchService, count: number): Promise<Row> {
  const holder = await Holder.register(service, 'listener');
  const [cut, acknowledged]: [number[], number[]] = [[], []];
  let [passed, early] = [0, 0];
  for (let at = 0; at < count; at += 1) {
    const passport = await holder.passport();
    const stream = await holder.prepare('/stream', passport)();
    await new Promise((resolve) => stream.once('data', resolve));
    const ended = endOf(stream);
    const asked = performance.now();
    await service.admin('POST', '/revocations', { kind: 'token', value: passport.jti, reason: null });
    const told = performance.now();
    const end = await ended;
    if (end === null) passed += 1;
    else {
      if (end <= told) early += 1;
      cut.push(Math.max(0, end - told));
    }
    acknowledged.push(told - asked);
  }
  holder.close();
  return {
    case: 'stream-cut',
    count,
    ...spread(cut),
    ackP50Ms: rounded(
      quantile(
        acknowledged.toSorted((a, b) => a - b),
        0.5,
      ),
      2,
    ),
    passed,
    note: `from the acknowledgement to the end of a stream at the agent; ${early} of ${count} ended before it`,
  };
}

/** When it ended; null: it went on. */
function endOf(stream: IncomingMessage): Promise<number | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      stream.destroy();
      resolve(null);
    }, LONGEST_MS);
    const end = () => {
      clearTimeout(timer);
      resolve(performance.now());
    };
    stream.on('error', () => undefined).resume();
    stream.once('close', end);
  });
}
