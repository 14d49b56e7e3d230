import type { Row } from '../lib/report.ts';
import { quantile, rounded } from '../lib/statistics.ts';
import type { BenchService } from '../sallyport/service.ts';
import { each, Holder, type Passport, statusOf } from './holder.ts';

const EACH = 50;
const AT_ONCE = 4;

/**
 * A passport that has just made a call is revoked; from the moment when the administrator has the answer to the moment
 * when its next call is answered with a no. One after the other. A call that passed is counted, never left out. The same
 * refusal once more, right after it, says what a call costs on this machine at this moment.
 */
export async function measureNextCalls(service: BenchService, count: number): Promise<readonly Row[]> {
  const holders: Holder[] = [];
  for (let made = 0; made < count; made += EACH) {
    holders.push(await Holder.register(service, `holder-${holders.length}`));
  }
  const passports: Passport[] = [];
  const wanted = Array.from({ length: count }, (_, at) => holders[at % holders.length]).flatMap(
    (holder) => holder ?? [],
  );
  await each(wanted, AT_ONCE, async (holder) => void passports.push(await holder.passport()));

  const [denied, again, acknowledged]: [number[], number[], number[]] = [[], [], []];
  let passed = 0;
  for (const passport of passports) {
    const { holder, jti } = passport;
    if ((await holder.call(passport)) !== 200) throw new Error('a good passport was refused');
    const [next, later] = [holder.prepare('/item', passport), holder.prepare('/item', passport)];
    const asked = performance.now();
    await service.admin('POST', '/revocations', { kind: 'token', value: jti, reason: null });
    const told = performance.now();
    const status = await statusOf(await next());
    const refused = performance.now();
    denied.push(refused - told);
    acknowledged.push(told - asked);
    const statusLater = await statusOf(await later());
    again.push(performance.now() - refused);
    passed += [status, statusLater].filter((one) => one !== 401).length;
  }
  for (const holder of holders) holder.close();
  const counted = { count: passports.length, passed };
  return [
    {
      case: 'next-call',
      ...counted,
      ...spread(denied),
      ackP50Ms: rounded(
        quantile(
          acknowledged.toSorted((a, b) => a - b),
          0.5,
        ),
        2,
      ),
      note: 'from the acknowledgement of a revocation to the refusal of the next call with that passport',
    },
    {
      case: 'call-after',
      ...counted,
      ...spread(again),
      note: 'the call after that one: what a refusal costs on this machine without any news',
    },
  ];
}

export function spread(values: readonly number[]): Row {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    p50Ms: rounded(quantile(sorted, 0.5), 2),
    p99Ms: rounded(quantile(sorted, 0.99), 2),
    maxMs: rounded(sorted.at(-1) ?? 0, 2),
  };
}
