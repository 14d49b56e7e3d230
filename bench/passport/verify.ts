import { GATE, openBench, TestAgent } from '../../test/unit/passport/support.ts';
import { quantile } from '../lib/statistics.ts';
import { SigningKey } from '../load/agent.ts';
import type { LoadFigures } from '../load/worker.ts';

/** What the gateway spends on a passport that it knows with a proof that it does not: no socket in between. */
export async function measureVerification(forMs: number): Promise<LoadFigures> {
  const bench = await openBench();
  try {
    const agent = await TestAgent.register(bench, { scopes: ['api:read'] });
    const token = await agent.passport();
    const key = SigningKey.fromJwk(await crypto.subtle.exportKey('jwk', agent.dpop.privateKey));
    const target = { htm: 'GET', htu: `${GATE}/s/api/items` };
    const latencies: number[] = [];
    let spent = 0;
    while (spent < forMs) {
      const proof = key.prove({ ...target, token });
      const began = performance.now();
      await bench.room.verifier.verify(
        { scheme: 'DPoP', token, proofs: [proof], ...target, loopback: true },
        Date.now(),
      );
      const took = performance.now() - began;
      latencies.push(took);
      spent += took;
    }
    latencies.sort((a, b) => a - b);
    const rps = latencies.length / (spent / 1000);
    return {
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      rps,
      requests: latencies.length,
      bodyBytes: 0,
      answered: latencies.length,
    };
  } finally {
    await bench.close();
  }
}
