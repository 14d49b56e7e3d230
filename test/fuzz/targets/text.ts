import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCommand, parseCommandLine, splitRest } from '../../../src/cli/arguments.ts';
import { loadCommands } from '../../../src/cli/commands/index.ts';
import { CliFault } from '../../../src/cli/fault.ts';
import { ConfigError, loadConfig } from '../../../src/config/index.ts';
import { ProofFault, parseDpopProof, parseStrictJson } from '../../../src/proof/index.ts';
import { type FuzzTarget, latin, mustHold, pure } from '../target.ts';

const COMMANDS = await loadCommands();

export const config: FuzzTarget = {
  name: 'config',
  promise: 'A configuration file gives a frozen configuration, or a ConfigError that names its faults.',
  seeds: [
    'gateway:\n  port: 8471\n',
    'detector: {profile: strict, onLate: deny}\n',
    'storage:\n  kind: sqlite\n',
    '',
  ],
  dictionary: [
    'gateway',
    'port',
    ': ',
    '\n  ',
    '- ',
    '&a ',
    '*a',
    '!!js/function ',
    '{',
    '}',
    '[',
    ']',
    '"',
    '\t',
    '---\n',
    '<<: ',
    '1e999',
    '0o17',
    '~',
    '#',
  ],
  async open() {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-fuzz-'));
    return {
      try(input) {
        writeFileSync(join(home, 'sallyport.yaml'), input);
        try {
          mustHold(
            Object.isFrozen(loadConfig({ environment: { SALLYPORT_HOME: home }, defaultHome: home })),
            'not frozen',
          );
        } catch (fault) {
          if (!(fault instanceof ConfigError)) throw fault;
          mustHold(fault.faults.length > 0, 'a ConfigError without a fault');
        }
      },
      close: () => rmSync(home, { recursive: true, force: true }),
    };
  },
};

export const cli: FuzzTarget = {
  name: 'cli',
  promise:
    'A command line is understood, or refused as a usage fault with its exit code; nothing is taken twice.',
  seeds: COMMANDS.flatMap(({ examples }) => examples.map((example) => example.replace(/^.*?sallyport /, ''))),
  dictionary: [
    ' ',
    ' --',
    ' -- ',
    '=',
    '--json',
    '--url',
    '-h',
    '--agent',
    '--scope ',
    "'",
    '\0',
    '\u001b[2J',
    '-',
  ],
  open: pure((input) => {
    const argv = Buffer.from(input).toString('utf8').split(/ +/);
    const { head, rest } = splitRest(argv);
    try {
      const found = findCommand(COMMANDS, head);
      if (found === null) return;
      const { args } = parseCommandLine(found.command, found.words, rest);
      mustHold(
        args.every((word) => argv.includes(word)),
        'a word that nobody gave',
      );
    } catch (fault) {
      if (!(fault instanceof CliFault)) throw fault;
      mustHold(fault.exitCode === 2, `exit code ${fault.exitCode}`);
    }
  }),
};

export const json: FuzzTarget = {
  name: 'json',
  promise: 'JSON from outside is read as JSON.parse reads it, or refused with a ProofFault.',
  seeds: ['{"a":1,"b":[true,null,"x"]}', '{"\\u0061":1.5e3}', '[[[[1]]]]', '"\\ud83d\\ude00"'],
  dictionary: [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\u',
    '\\ud800',
    '1e9',
    '-0',
    '__proto__',
    'a":1,"a',
    ' ',
    '\n',
    '\ufeff',
  ],
  open: pure((input) => {
    const text = Buffer.from(input).toString('utf8');
    try {
      const value = parseStrictJson(text, 16);
      mustHold(
        JSON.stringify(value) === JSON.stringify(JSON.parse(text)),
        'read otherwise than JSON.parse does',
      );
    } catch (fault) {
      if (!(fault instanceof ProofFault)) throw fault;
    }
  }),
};

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export const proof: FuzzTarget = {
  name: 'proof',
  promise: 'A DPoP proof is parsed, or refused with a ProofFault.',
  seeds: [
    `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } })}.${part({ jti: 'a', htm: 'GET', htu: 'https://a/', iat: 1 })}.${'A'.repeat(86)}`,
    '..',
    'a.b.c',
  ],
  dictionary: ['.', '=', 'A', 'eyJ', '_-', '\n', part({ alg: 'none' }), part({ alg: 'HS256', crit: ['x'] })],
  open: pure((input) => {
    try {
      parseDpopProof(latin(input));
    } catch (fault) {
      if (!(fault instanceof ProofFault)) throw fault;
    }
  }),
};
