import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { VERBS } from '../../../src/cli/commands/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

/** What no command waits for that does not need it: hundreds of modules each, with what they bring along. */
const HEAVY =
  /\/src\/(compose|passport|detector|gateway|storage|policy|guard|people|admin|vault|audit)\/|\/node_modules\/(oidc-provider|kysely|yaml|jose|express)\//;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `sallyport …` in a process of its own, and tells what it loaded. */
function start(argv: readonly string[], input = '', entry = 'src/cli/main.ts') {
  const notes = join(folder, 'loaded');
  const { stdout } = spawnSync(
    process.execPath,
    ['--import', join(repositoryRoot, 'test/support/note-loads.mjs'), join(repositoryRoot, entry), ...argv],
    {
      input,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, NOTE_LOADS: notes, SALLYPORT_HOOK_SOCKET: join(folder, 'none.sock') },
    },
  );
  const [cache = '', ...loaded] = readFileSync(notes, 'utf8').split('\n');
  return { stdout, cache: cache.slice('cache:'.length), loaded };
}

describe('a command starts without what it does not need', () => {
  it('the help loads no room that is heavy, and says everything all the same', () => {
    const { stdout, loaded } = start(['help']);
    for (const { name } of VERBS) expect(stdout).toContain(`  ${name} `);
    expect(loaded.filter((url) => HEAVY.test(url))).toEqual([]);
  });

  it('a run of a hook loads no heavy room, no other verb and nothing of the relay but its client', () => {
    const message = { hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: { command: 'ls' } };
    const { stdout, loaded } = start(['hook', 'run', 'claude-code'], JSON.stringify(message));
    expect(JSON.parse(stdout).hookSpecificOutput.permissionDecision).toBe('deny');
    expect(loaded.filter((url) => HEAVY.test(url))).toEqual([]);
    const own = loaded.flatMap((url) => /\/src\/cli\/((?:commands|relay)\/.*)/.exec(url)?.[1] ?? []);
    expect(own.toSorted()).toEqual([
      'commands/hook-options.ts',
      'commands/hook-run.ts',
      'commands/index.ts',
      'relay/hook-client.ts',
    ]);
  });
});

describe('what Node compiled', () => {
  it.each(['src/cli/main.ts', 'src/cli/start.mjs'])(
    '%s keeps it inside of the installation, where nobody else can put code',
    (entry) => {
      const { stdout, cache } = start(['version'], '', entry);
      expect(stdout).toContain('sallyport');
      const inside = join(repositoryRoot, 'node_modules/.cache/sallyport');
      // Where the folder can't be written there is none, and never another one.
      expect(cache === '' || cache.startsWith(inside), cache).toBe(true);
    },
  );
});

describe('the table of verbs', () => {
  it('names each verb as its file does', async () => {
    for (const { name, load } of VERBS) expect((await load()).name).toBe(name);
  });
});
