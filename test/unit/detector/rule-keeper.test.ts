import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../src/core/index.ts';
import { RuleError } from '../../../src/detector/index.ts';
import { RuleKeeper } from '../../../src/detector/rules/index.ts';

let folder: string;
let events: AuditEvent[];
let keeper: RuleKeeper | null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-rules-'));
  events = [];
  keeper = null;
});
afterEach(async () => {
  await keeper?.close();
  await rm(folder, { recursive: true, force: true });
});

const ruleNamed = (id: string) => `rules:
  - id: ${id}
    title: One
    severity: low
    score: 0.1
    on: call
    match: { field: args, contains: bad }
    cases: { match: [{ args: bad }], pass: [{ args: fine }] }
`;

async function open(watch = false): Promise<RuleKeeper> {
  keeper = await RuleKeeper.open({
    directory: folder,
    clock: { now: () => 7 },
    audit: async (event) => events.push(event),
    watch,
    onFault: () => {},
  });
  return keeper;
}

const idsOf = (one: RuleKeeper) => one.current().rules.map(({ rule }) => rule.id);

describe('the rules in force', () => {
  it('are those of the folder after a reload, and the log says so first', async () => {
    await writeFile(join(folder, 'a.yaml'), ruleNamed('one'));
    const rules = await open();
    await writeFile(join(folder, 'a.yaml'), ruleNamed('two'));
    expect(idsOf(rules)).toEqual(['one']);
    expect(await rules.reload()).toEqual({ kind: 'loaded', rules: 1, refused: 0 });
    expect(idsOf(rules)).toEqual(['two']);
    expect(events).toEqual([expect.objectContaining({ type: 'rules.loaded', at: 7 })]);
    expect(await rules.reload()).toEqual({ kind: 'unchanged', rules: 1 });
    expect(events).toHaveLength(1);
  });

  it('stay when the folder is broken, and every fault is told', async () => {
    await writeFile(join(folder, 'a.yaml'), ruleNamed('one'));
    const rules = await open();
    await writeFile(join(folder, 'b.yaml'), ruleNamed('two').replace('low', 'huge'));
    await writeFile(join(folder, 'c.yaml'), 'rules: [');
    expect(await rules.reload()).toMatchObject({ kind: 'rejected', rules: 1 });
    expect(idsOf(rules)).toEqual(['one']);
    expect(rules.faults).toEqual([
      expect.stringMatching(/^b\.yaml:4: rule two: severity/),
      expect.stringMatching(/^c\.yaml:1: it is no YAML/),
    ]);
    expect(events).toEqual([expect.objectContaining({ type: 'rules.rejected' })]);
    await rm(join(folder, 'b.yaml'));
    await rm(join(folder, 'c.yaml'));
    await rules.reload();
    expect(rules.faults).toEqual([]);
  });

  it('follow the folder by themselves, also what lies in folders of it', async () => {
    await mkdir(join(folder, 'pack'));
    const rules = await open(true);
    await writeFile(join(folder, 'pack', 'a.yaml'), ruleNamed('one'));
    await expect.poll(() => idsOf(rules), { timeout: 10_000 }).toEqual(['one']);
  });

  it('can not be broken ones at the start', async () => {
    await writeFile(join(folder, 'a.yaml'), 'rules: 7');
    await expect(open()).rejects.toThrow(RuleError);
  });
});
