import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPolicies, formatFault, testPolicies } from '../../../src/policy/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

const shipped = join(repositoryRoot, 'policies');
const examples = join(shipped, 'examples');
const now = Date.parse('2026-11-23T12:00:00Z');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-policies-'));
  for (const name of await readdir(shipped)) {
    if (/\.(cedar|cedarschema|cases\.yaml)$/.test(name)) await cp(join(shipped, name), join(folder, name));
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function faultsOf(name: string, text: string): Promise<readonly string[]> {
  await writeFile(join(folder, name), text);
  const report = await checkPolicies(folder);
  expect(report.ok).toBe(report.faults.length === 0);
  return report.faults.map(formatFault);
}

describe('the shipped policies', () => {
  it('decide every case that stands beside them as it says', async () => {
    const report = await testPolicies(shipped, now);
    expect(report.cases.filter((one) => !one.passed)).toEqual([]);
    expect(report.cases.length).toBeGreaterThanOrEqual(13);
  });

  it.each(['merge-needs-a-person', 'no-public-repositories', 'office-hours'])(
    'decide the cases of the example %s when it is put beside them',
    async (name) => {
      await cp(join(examples, `${name}.cedar`), join(folder, `${name}.cedar`));
      await cp(join(examples, `${name}.cases.yaml`), join(folder, `${name}.cases.yaml`));
      const report = await testPolicies(folder, now);
      expect(report.faults).toEqual([]);
      expect(report.cases.filter((one) => !one.passed)).toEqual([]);
    },
  );

  it('names every example in a test', async () => {
    const files = (await readdir(examples)).filter((name) => name.endsWith('.cedar')).sort();
    expect(files).toEqual([
      'merge-needs-a-person.cedar',
      'no-public-repositories.cedar',
      'office-hours.cedar',
    ]);
  });
});

describe('checkPolicies', () => {
  it('names the line of a text that does not parse', async () => {
    const faults = await faultsOf('bad.cedar', '// fine\npermit (principal, action\n  resource);\n');
    expect(faults).toEqual([expect.stringMatching(/^bad\.cedar:3: .*unexpected token/)]);
  });

  it('names the line of a condition that does not fit the schema', async () => {
    const faults = await faultsOf(
      'bad.cedar',
      'permit (principal, action, resource) when { context.risk < 5 };\n\npermit (principal, action == Action::"tool.call", resource)\nwhen { context.nothing == 1 };\n',
    );
    expect(faults).toEqual([expect.stringMatching(/^bad\.cedar:4: .*nothing/)]);
  });

  it('refuses an action, an annotation and a use of @hold that do not exist', async () => {
    expect(
      (await faultsOf('bad.cedar', 'permit (principal, action == Action::"fly", resource);'))[0],
    ).toMatch(/fly/);
    expect((await faultsOf('bad.cedar', '@holds("x") permit (principal, action, resource);'))[0]).toMatch(
      /@holds/,
    );
    expect((await faultsOf('bad.cedar', '@hold("x") forbid (principal, action, resource);'))[0]).toMatch(
      /forbid/,
    );
    expect((await faultsOf('bad.cedar', '@hold("") permit (principal, action, resource);'))[0]).toMatch(
      /reason/,
    );
  });

  it('refuses an id that stands twice, and templates', async () => {
    const twice =
      '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);';
    expect((await faultsOf('bad.cedar', twice))[0]).toMatch(/bad\.cedar:2: .*second time/);
    expect((await faultsOf('bad.cedar', 'permit (principal == ?principal, action, resource);'))[0]).toMatch(
      /template/,
    );
  });

  it('names a folder, a schema and a text that can not be read', async () => {
    expect((await checkPolicies(join(folder, 'nowhere'))).faults[0]?.message).toMatch(/can not be read/);
    await writeFile(join(folder, 'binary.cedar'), Buffer.from([0xff, 0xfe, 0x00]));
    expect((await checkPolicies(folder)).faults[0]?.file).toBe('binary.cedar');
  });
});
