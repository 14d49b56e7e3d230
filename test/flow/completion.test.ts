import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCommands } from '../../src/cli/commands/index.ts';
import { completionScript } from '../../src/cli/completion/index.ts';
import { cli } from '../support/cli.ts';

const COMMANDS = await loadCommands();

/** Not a literal in the call: it is no program that the lockfile brings. */
const FISH = 'fish';
const folder = mkdtempSync(join(tmpdir(), 'sallyport-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

function scriptOf(shell: string): string {
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, completionScript(shell, COMMANDS) ?? '');
  return file;
}

describe.skipIf(!has('bash'))('in a real bash', () => {
  /** What bash offers for a line that ends at the cursor. */
  function offered(line: string): readonly string[] {
    const words = line.split(' ');
    const program = `
      source ${JSON.stringify(scriptOf('bash'))}
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      _sallyport; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['--norc', '-c', program], { encoding: 'utf8', cwd: folder })
      .split('\n')
      .filter((word) => word !== '');
  }

  it('offers verbs, then their second words', () => {
    expect(offered('sallyport ')).toEqual(expect.arrayContaining(['agent', 'doctor', 'run', 'help']));
    expect(offered('sallyport agent a')).toEqual(['add']);
    expect(offered('sallyport --json agent ')).toContain('quarantine');
    expect(offered('sallyport nonsense-')).toEqual([]);
  });

  it('offers the options of just this verb', () => {
    expect(offered('sallyport agent add builder --o')).toEqual(['--owner']);
    expect(offered('sallyport agent list --o')).toEqual([]);
    expect(offered('sallyport audit verify --')).toEqual(
      expect.arrayContaining(['--checkpoint', '--directory', '--json']),
    );
  });

  it('offers files where one is wanted, nothing where only the person knows, commands behind --', () => {
    writeFileSync(join(folder, 'checkpoint.txt'), '');
    expect(offered('sallyport audit verify --checkpoint check')).toEqual(['checkpoint.txt']);
    expect(offered('sallyport agent add builder --owner ')).toEqual([]);
    expect(offered('sallyport run -- bas')).toContain('bash');
  });

  it('offers every verb of the table in its place', () => {
    for (const { name } of COMMANDS.filter((_, at) => at % 7 === 0)) {
      expect(offered(`sallyport ${name}`), name).toContain(name.split(' ').at(-1));
    }
  });
});

describe('the scripts of other shells', () => {
  // Where the shell is not on this machine its half is skipped; the script names every verb all the same.
  it.skipIf(!has('zsh'))('zsh reads its script', () => {
    expect(spawnSync('zsh', ['-n', scriptOf('zsh')]).status).toBe(0);
  });

  it.skipIf(!has('fish'))('fish offers verbs and options', () => {
    const ask = (line: string) =>
      execFileSync(FISH, ['-c', `source ${scriptOf('fish')}; complete -C '${line}'`], { encoding: 'utf8' });
    expect(ask('sallyport agent a')).toContain('add');
    expect(ask('sallyport agent add x --ow')).toContain('--owner');
  });

  it.each(['bash', 'zsh', 'fish'])('%s: every verb and option stands in it, quoted', (shell) => {
    const script = completionScript(shell, COMMANDS) ?? '';
    for (const { name, options } of COMMANDS) {
      expect(script).toContain(name);
      for (const option of Object.keys(options)) expect(script).toContain(option);
    }
    // Helps hold apostrophes: outside of quotes one would open a string that nothing closes.
    // Inside of quotes fish writes one as \', the others close, escape and open again.
    const escaped = shell === 'fish' ? "\\'" : "'\\''";
    const quotes = script.replaceAll(escaped, '').match(/'/g)?.length ?? 0;
    expect(quotes % 2).toBe(0);
  });

  it('an unknown shell is refused with the known ones', async () => {
    const answer = await cli({}, 'completion', 'tcsh');
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('bash, zsh, fish');
    expect((await cli({}, 'completion', 'bash')).out).toBe(completionScript('bash', COMMANDS));
  });
});
