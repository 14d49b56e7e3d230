import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/shared.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-rules-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function sallyport(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const main = join(repositoryRoot, 'src/cli/main.ts');
    execFile(process.execPath, [main, ...args], { env: { SALLYPORT_HOME: folder } }, (fault, out, err) =>
      resolve({ code: fault === null ? 0 : Number(fault.code), out, err }),
    );
  });
}

const SHIPPED = join(repositoryRoot, 'policies/detection');
const WRONG = `rules:
  - id: wrong
    title: Wrong
    severity: low
    score: 0.1
    on: call
    match: { field: args, contains: bad }
    cases: { match: [{ args: bad }, { args: good }], pass: [{ args: fine }] }
`;

describe('sallyport detector test', () => {
  it('runs the cases of the shipped rules, as a table and as JSON', async () => {
    const table = await sallyport('detector', 'test', SHIPPED);
    expect(table.code).toBe(0);
    expect(table.out).toMatch(/^cloud-metadata +sallyport +\d+ of \d+ +access\.yaml:3$/m);
    expect(table.out).toMatch(/\n\d+ rules, (\d+) of \1 cases as expected\.\n$/);
    const { code, out } = await sallyport('detector', 'test', join(SHIPPED, 'supply.yaml'), '--json');
    const report = JSON.parse(out);
    expect([code, report.ok, report.passed === report.cases]).toEqual([0, true, true]);
    expect(report.rules[0]).toMatchObject({ id: 'pipe-to-shell', format: 'sallyport', failed: [] });
  });

  it('names the case that goes otherwise, and the file that is broken', async () => {
    const wrong = join(folder, 'wrong.yaml');
    const broken = join(folder, 'broken.yaml');
    await writeFile(wrong, WRONG);
    await writeFile(broken, 'rules: [');
    const { code, out } = await sallyport('detector', 'test', wrong, broken);
    expect(code).toBe(1);
    expect(out).toContain(`${wrong}:2: rule wrong: case 2 of its match cases should match and does not.`);
    expect(out).toMatch(/broken\.yaml:1: it is no YAML: .*Correct the line\./);
    expect(out).toContain('1 rules, 2 of 3 cases as expected.');
    const json = JSON.parse((await sallyport('detector', 'test', wrong, '--json')).out);
    expect(json).toMatchObject({ ok: false, rules: [{ failed: [{ kind: 'match', number: 2 }] }] });
  });

  it('says which file is not there', async () => {
    const { code, err } = await sallyport('detector', 'test', join(folder, 'nowhere.yaml'));
    expect([code, err]).toEqual([4, expect.stringContaining('nowhere.yaml can not be read (ENOENT)')]);
  });
});

describe('sallyport detector rules', () => {
  it('lists what is loaded, and what is left out with the reason', async () => {
    const listed = await sallyport('detector', 'rules', '--rules', SHIPPED, '--json');
    expect(JSON.parse(listed.out).items[0]).toMatchObject({ id: 'cloud-metadata', on: ['call'], line: 3 });
    const packs = await mkdtemp(join(folder, 'packs-'));
    const rule = { id: 'A-1', name: 'A', severity: 'LOW', message: 'A', match: [{ patterns: ['(a)\\1'] }] };
    await writeFile(join(packs, 'a.yaml'), JSON.stringify([rule]));
    const { code, out } = await sallyport('detector', 'rules', '--refused', '--rules', packs);
    expect(code).toBe(0);
    expect(out).toMatch(/^A-1 +canaryai +a back-reference needs backtracking.* +a\.yaml:1$/m);
  });
});
