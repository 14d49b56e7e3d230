import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { settleGuardAtFirstStart } from '../../../src/compose/guard-at-first-start.ts';
import { loadConfig } from '../../../src/config/index.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-first-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const load = (environment: Record<string, string> = {}) => loadConfig({ environment, defaultHome: home });
const file = () => join(home, 'sallyport.yaml');

it('writes down that no guard is needed where none can be built, and says so', () => {
  expect(settleGuardAtFirstStart(load(), 'There is no compiler.')).toMatch(
    /^There is no compiler\. So guard\.required: false was written into .*sallyport\.yaml/,
  );
  expect(readFileSync(file(), 'utf8')).toContain('# No guard engine could be built');
  expect(load().guard.required).toBe(false);
});

it('leaves what an administrator wrote as it is', () => {
  writeFileSync(file(), '# ours\ndetector:\n  profile: strict # sure\nguard:\n  threads: 2\n');
  settleGuardAtFirstStart(load(), 'There is no compiler.');
  const text = readFileSync(file(), 'utf8');
  expect(text).toMatch(/^# ours\ndetector:\n {2}profile: strict # sure\n/);
  expect(load().guard).toMatchObject({ threads: 2, required: false });
});

it.each([
  ['an engine can be had', {}, null],
  ['the administrator has decided', { SALLYPORT_GUARD_REQUIRED: 'true' }, 'There is no compiler.'],
  ['no guard is wanted', { SALLYPORT_GUARD_ENABLED: 'false' }, 'There is no compiler.'],
  ['the guard is another process', { SALLYPORT_GUARD_REMOTE: 'unix:guard.sock' }, 'There is no compiler.'],
])('writes nothing where %s', (_, environment, reason) => {
  expect(settleGuardAtFirstStart(load(environment), reason)).toBeNull();
  expect(() => readFileSync(file())).toThrow(/ENOENT/);
});
