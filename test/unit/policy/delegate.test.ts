import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_RISK, systemClock } from '../../../src/core/index.ts';
import type { DelegationRequest } from '../../../src/passport/index.ts';
import { decideDelegation, PolicyKeeper } from '../../../src/policy/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

const POLICY = `
@id("partner")
permit (
  principal == Agent::"partner",
  action == Action::"passport.delegate",
  resource in Owner::"alice"
)
when { context.depth <= 1 && context.scopes.contains("github:read") };

@id("ask")
@hold("A person decides.")
permit (principal == Agent::"asked", action == Action::"passport.delegate", resource);

@id("never")
forbid (principal == Agent::"banned", action == Action::"passport.delegate", resource == Agent::"planner");
`;

let folder: string;
let keeper: PolicyKeeper;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-delegation-'));
  await cp(join(repositoryRoot, 'policies'), folder, { recursive: true });
  await writeFile(join(folder, 'test.cedar'), POLICY);
  keeper = await PolicyKeeper.open({ directory: folder, clock: systemClock, audit: async () => undefined });
});
afterAll(async () => {
  await keeper.close();
  await rm(folder, { recursive: true, force: true });
});

function decide(to: { name: string; owner: string }, o: Partial<DelegationRequest> = {}, score = 0) {
  const request: DelegationRequest = {
    tenant: 'default',
    from: { id: 'agent_1', name: 'planner', owner: 'alice' },
    to: { id: 'agent_2', ...to },
    user: null,
    purpose: null,
    scopes: ['github:read'],
    sid: 'session_1',
    depth: 1,
    now: 0,
    ...o,
  };
  return decideDelegation(keeper.current(), request, { ...NO_RISK, score });
}

test('agents of one owner may act for one another, and no others', () => {
  expect(decide({ name: 'worker', owner: 'alice' })).toBeNull();
  expect(decide({ name: 'worker', owner: 'bob' })).toMatch(/No policy allows/);
});

test('a policy may allow another owner’s agent, within what it says', () => {
  expect(decide({ name: 'partner', owner: 'bob' })).toBeNull();
  expect(decide({ name: 'partner', owner: 'bob' }, { depth: 2 })).not.toBeNull();
  expect(decide({ name: 'partner', owner: 'bob' }, { scopes: ['github:write'] })).not.toBeNull();
  const other = { id: 'agent_3', name: 'other', owner: 'carol' };
  expect(decide({ name: 'partner', owner: 'bob' }, { from: other })).not.toBeNull();
});

test('a forbid wins, a hold is a no, and a compromised session passes nothing on', () => {
  expect(decide({ name: 'banned', owner: 'alice' })).toMatch(/never/);
  expect(decide({ name: 'asked', owner: 'bob' })).toMatch(/A person decides/);
  expect(decide({ name: 'worker', owner: 'alice' }, {}, 0.95)).toMatch(/compromised/);
});
