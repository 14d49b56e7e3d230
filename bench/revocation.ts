import { readOptions } from './lib/options.ts';
import { report } from './lib/report.ts';
import { measureNextCalls } from './revocation/next-call.ts';
import { measureStreams } from './revocation/streams.ts';
import { measureSubtree } from './revocation/subtree.ts';
import { openDripUpstream } from './revocation/upstream.ts';
import { BenchService } from './sallyport/service.ts';

/** How many passports are revoked one by one, and how many streams are cut. */
const PASSPORTS = 1_000;
const STREAMS = 100;
const SUBTREE = { branches: 9, twigs: 10, leaves: 10 } as const;

/**
 * How soon a revocation holds, seen from outside: the service as users start it, an administrator at its API, agents at
 * its gateway. `--rounds N` is of no use here; `--seconds` below 1 makes all of it smaller in proportion.
 */
const options = readOptions({ rounds: 1, seconds: 1 });
const share = Math.min(1, options.seconds);
const upstream = await openDripUpstream();
const service = await BenchService.start({ audit: 'power' });
try {
  await service.admin('PUT', '/services/plain', {
    origins: [`http://localhost:${upstream.port}`],
    allowPrivate: true,
    credential: null,
  });
  const rows = [
    ...(await measureNextCalls(service, Math.max(1, Math.round(PASSPORTS * share)))),
    await measureStreams(service, Math.max(1, Math.round(STREAMS * share))),
    await measureSubtree(service, { ...SUBTREE, leaves: Math.max(1, Math.round(SUBTREE.leaves * share)) }),
  ];
  report('revocation', rows, { json: options.json });
} finally {
  await service.stop();
  await upstream.close();
}
