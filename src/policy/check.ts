import { type CaseResult, runCases } from './cases.ts';
import { explain } from './explain.ts';
import { loadPolicies } from './load.ts';
import type { PolicyFault } from './policy-file.ts';
import { PolicySet } from './policy-set.ts';

export interface CheckReport {
  readonly ok: boolean;
  readonly policies: number;
  readonly faults: readonly PolicyFault[];
}

/** Whether the folder could be put in force as it stands. */
export async function checkPolicies(directory: string): Promise<CheckReport> {
  const { policies, faults } = await loadPolicies(directory);
  return { ok: faults.length === 0, policies: policies.length, faults };
}

export interface TestReport extends CheckReport {
  readonly cases: readonly CaseResult[];
}

/** As checkPolicies, and runs the cases that stand beside the policies. */
export async function testPolicies(directory: string, now: number): Promise<TestReport> {
  const { policies, faults } = await loadPolicies(directory);
  if (faults.length > 0) return { ok: false, policies: policies.length, faults, cases: [] };
  const set = new PolicySet(policies, 0);
  try {
    const cases = await runCases(directory, set, now);
    return { ok: cases.every((one) => one.passed), policies: policies.length, faults, cases };
  } finally {
    set.release();
  }
}

const SCOPE_WORDS = ['read', 'write', 'call'];

/**
 * Services that no policy of the folder can open: an agent with every usual scope is denied, and no permit is even
 * close. Empty when the folder can't be loaded, which `checkPolicies` tells.
 */
export async function closedServices(
  directory: string,
  services: readonly string[],
  now: number,
): Promise<readonly string[]> {
  const { policies, faults } = await loadPolicies(directory);
  if (faults.length > 0) return [];
  const set = new PolicySet(policies, 0);
  try {
    return services.filter((service) =>
      ['GET', 'POST'].every((method) => {
        const scopes = SCOPE_WORDS.map((word) => `${service}:${word}`);
        const sample = { agent: { name: 'sample', scopes }, call: { service, method, path: '/' } };
        const { effect, couldPermit } = explain(set, sample, now);
        return effect === 'deny' && couldPermit.length === 0;
      }),
    );
  } finally {
    set.release();
  }
}
