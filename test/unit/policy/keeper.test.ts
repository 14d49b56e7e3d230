import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type AuditEvent, systemClock } from '../../../src/core/index.ts';
import { PolicyError, PolicyKeeper } from '../../../src/policy/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

const ALLOW = 'permit (principal, action, resource);\n';
let folder: string;
let events: AuditEvent[];
let keeper: PolicyKeeper | null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-keeper-'));
  await cp(join(repositoryRoot, 'policies/sallyport.cedarschema'), join(folder, 'sallyport.cedarschema'));
  events = [];
  keeper = null;
});
afterEach(async () => {
  await keeper?.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<PolicyKeeper> {
  keeper = await PolicyKeeper.open({
    directory: folder,
    clock: systemClock,
    audit: async (event) => events.push(event),
  });
  return keeper;
}

it('refuses to start with a broken folder and names every fault', async () => {
  await writeFile(join(folder, 'a.cedar'), 'permit (');
  await writeFile(
    join(folder, 'b.cedar'),
    'forbid (principal, action == Action::"http.call", resource) when { context.x };',
  );
  const failure = await open().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PolicyError);
  expect((failure as PolicyError).faults.map((fault) => fault.file)).toEqual(['a.cedar', 'b.cedar']);
});

it('puts a change in force at once and records it', async () => {
  const opened = await open();
  expect(opened.current().size).toBe(0);
  await writeFile(join(folder, 'a.cedar'), ALLOW);
  expect(await opened.reload()).toMatchObject({ kind: 'loaded', generation: 2, policies: 1 });
  expect(await opened.reload()).toMatchObject({ kind: 'unchanged', generation: 2 });
  expect(events.map((event) => event.type)).toEqual(['policy.loaded', 'policy.loaded']);
});

it('keeps the old set in force when a file breaks, and says so', async () => {
  await writeFile(join(folder, 'a.cedar'), ALLOW);
  const opened = await open();
  const before = opened.current();
  await writeFile(join(folder, 'a.cedar'), 'permit (principal, action');
  expect(await opened.reload()).toMatchObject({ kind: 'rejected', generation: 1 });
  expect(opened.current()).toBe(before);
  expect(opened.faults).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({
    type: 'policy.rejected',
    data: { faults: [expect.stringMatching(/^a\.cedar/)] },
  });
});

it('sees a changed file by itself', async () => {
  const opened = await open();
  await writeFile(join(folder, 'a.cedar'), ALLOW);
  await vi.waitFor(() => expect(opened.current().size).toBe(1), { timeout: 10_000 });
});
