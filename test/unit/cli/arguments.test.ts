import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCommand, parseCommandLine, splitRest } from '../../../src/cli/arguments.ts';
import { loadCommands } from '../../../src/cli/commands/index.ts';
import { helpOf } from '../../../src/cli/help.ts';
import { printable } from '../../../src/cli/output.ts';

const COMMANDS = await loadCommands();

function parse(...argv: string[]) {
  const { head, rest } = splitRest(argv);
  const found = findCommand(COMMANDS, head);
  if (found === null) throw new Error('no verb');
  return { name: found.command.name, ...parseCommandLine(found.command, found.words, rest) };
}

describe('the command line', () => {
  it('finds the verb with the most words, and options before or behind it', () => {
    expect(parse('alert', 'sink', 'test', 'siem')).toMatchObject({ name: 'alert sink test', args: ['siem'] });
    expect(parse('--json', 'agent', 'list')).toMatchObject({ name: 'agent list', common: { json: true } });
    expect(parse('--url', 'http://localhost:1', 'agent', 'show', 'a')).toMatchObject({ args: ['a'] });
  });

  it('names the nearest verb and the nearest option', () => {
    expect(() => parse('agnet', 'list')).toThrow(/did you mean agent/);
    expect(() => parse('agent', 'ad', 'x')).toThrow(/did you mean agent add/);
    expect(() => parse('agent', 'add', 'x', '--scpoe', 'a')).toThrow(/did you mean --scope/);
  });

  it('refuses what is missing, too much, given twice, or no option at all', () => {
    expect(() => parse('agent', 'show')).toThrow(/needs AGENT/);
    expect(() => parse('agent', 'show', 'a', 'b')).toThrow(/no further word/);
    expect(() => parse('agent', 'add', 'a', '--owner', 'x', '--owner', 'y')).toThrow(/given twice/);
    expect(() => parse('agent', 'add', 'a', '--owner')).toThrow(/owner/);
    expect(() => parse('agent', 'add', 'a', '--secret=yes')).toThrow(/secret/);
    expect(() => parse('run', 'curl')).toThrow(/no further word|needs -- CMD/);
    expect(() => parse('agent', 'list', '--', 'x')).toThrow(/nothing behind --/);
  });

  it('takes no dash in a group of short options for the end of all options', () => {
    expect(() => parse('call', '/s/x', '-i-X', 'GET')).toThrow(/middle of short options/);
    expect(() => parse('agent', 'add', 'a', '-h-owner', 'x')).toThrow(/middle of short options/);
    expect(parse('call', '/s/x', '-d-').values.data).toBe('-');
  });

  it('understands any words, or refuses them as a usage fault, and gives back none that was not given', () => {
    const word = fc.oneof(
      fc.constantFrom(...COMMANDS.flatMap(({ name }) => name.split(' '))),
      fc.constantFrom(
        '--',
        '-',
        '-h',
        '--json',
        '--url',
        '--agent',
        '--scope=a:b',
        '-X',
        '-d-',
        '-i-X',
        '--no-json',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
        try {
          const { head, rest } = splitRest(argv);
          const found = findCommand(COMMANDS, head);
          if (found === null) return;
          const parsed = parseCommandLine(found.command, found.words, rest);
          expect(parsed.args.filter((one) => !argv.includes(one))).toEqual([]);
        } catch (fault) {
          expect(fault).toMatchObject({ name: 'CliFault', exitCode: 2 });
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves everything behind two dashes to the command that is run', () => {
    const parsed = parse('run', '--agent', 'a', '--', 'curl', '--json', '--agent', 'b', '--', 'c');
    expect(parsed.rest).toEqual(['curl', '--json', '--agent', 'b', '--', 'c']);
    expect(parsed.values.agent).toBe('a');
  });

  it('takes no secret as an option of any verb', () => {
    for (const { name, options } of COMMANDS) {
      for (const [option, { type, value }] of Object.entries(options)) {
        if (!/secret|token|password|passphrase/.test(option)) continue;
        expect(type === 'boolean' || value === 'FILE' || value === 'JTI', `${name} --${option}`).toBe(true);
      }
    }
  });

  it('has help with an example for every verb', () => {
    for (const command of COMMANDS) {
      expect(command.examples.length, command.name).toBeGreaterThan(0);
      for (const example of command.examples) expect(example).toContain(`sallyport ${command.name}`);
      expect(helpOf(command)).toContain('Usage: sallyport');
    }
  });
});

describe('text that an agent chose', () => {
  it('can not move the cursor, hide itself or turn its direction on a terminal', () => {
    expect(printable('a\u001b[2Kb\rc\nd\u202ee\u200bf')).toBe('a\\u001b[2Kb\\u000dc\\nd\\u202ee\\u200bf');
  });
});
