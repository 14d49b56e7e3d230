import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { sha256, signatureVerifier } from '../../src/passport/index.ts';
import { ProofFault, verifyDpopProof } from '../../src/proof/index.ts';
import { DpopDoors } from '../unit/passport/dpop-doors.ts';
import { mutation } from '../unit/passport/dpop-mutation.ts';
import type { VectorResult } from './main.ts';

const fixed = z.object({
  proof: z.string(),
  method: z.string(),
  url: z.string(),
  now: z.number(),
  accessToken: z.string().optional(),
  nonceRequired: z.boolean(),
});

const vectors = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      class: z.enum(['rfc9449', 'rfc9449-changed', 'mutation']),
      input: z.union([fixed, z.strictObject({ at: z.enum(['resource', 'token']), mutation })]),
      expected: z.object({
        result: z.enum(['accept', 'refuse', 'accept-or-refuse']),
        error: z.string().optional(),
        jkt: z.string().optional(),
      }),
    }),
  ),
});
type Case = z.infer<typeof vectors>['cases'][number];

/** The proof check itself, the verifier of the gateway and the token endpoint, on every case of the file. */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = vectors.parse(JSON.parse(await readFile(path, 'utf8')));
  const doors = await DpopDoors.open();
  const failures: { id: string; why: string }[] = [];
  try {
    for (const vector of cases) {
      const why = await judge(vector, doors).catch((fault: unknown) => `crashed: ${String(fault)}`);
      if (why !== null) failures.push({ id: vector.id, why });
    }
  } finally {
    await doors.close();
  }
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

/** Null when the case came out as expected. */
async function judge({ input, expected }: Case, doors: DpopDoors): Promise<string | null> {
  if ('proof' in input) return judgeFixed(input, expected);
  const outcomes = await doors.play(input.at, input.mutation);
  const accepted = outcomes.filter((outcome) => outcome === null).length;
  const { expectAccepted } = input.mutation;
  const wrong = outcomes.find((outcome) => outcome !== null && outcome !== expected.error);
  switch (expected.result) {
    case 'accept':
      return accepted === outcomes.length ? null : `refused: ${String(wrong ?? outcomes[0])}`;
    case 'accept-or-refuse':
      return null;
    case 'refuse': {
      if (wrong !== undefined) return `refused as ${wrong}`;
      const most = typeof expectAccepted === 'string' ? 2 : (expectAccepted ?? 0);
      const least = typeof expectAccepted === 'number' ? expectAccepted : 0;
      return accepted >= least && accepted <= most ? null : `${accepted} accepted`;
    }
  }
}

async function judgeFixed(input: z.infer<typeof fixed>, expected: Case['expected']): Promise<string | null> {
  try {
    const { jkt } = await verifyDpopProof(
      input.proof,
      {
        htm: input.method,
        htu: input.url,
        accessToken: input.accessToken ?? null,
        now: input.now * 1000,
        maxAgeSeconds: 120,
        maxAheadSeconds: 10,
        checkNonce: input.nonceRequired ? () => false : null,
      },
      { verifySignature: signatureVerifier(4), sha256 },
    );
    if (expected.result !== 'accept') return 'was accepted';
    return jkt === expected.jkt ? null : `thumbprint ${jkt}`;
  } catch (fault) {
    if (!(fault instanceof ProofFault)) throw fault;
    const error = fault.code === 'nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
    return expected.result === 'refuse' && expected.error === error ? null : `refused: ${error}`;
  }
}
