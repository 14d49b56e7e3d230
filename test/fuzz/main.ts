import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzLoaders, LOADERS } from './loaders.ts';
import { fuzz } from './run.ts';
import { TARGETS } from './targets/index.ts';

/** `npm run fuzz -- [--seconds N] [--seed N] [--list] [TARGET…]`: exit code 1 when a promise was broken. */
const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const wanted = (name: string) => positionals.length === 0 || positionals.includes(name);
const chosen = TARGETS.filter(({ name }) => wanted(name));
const all = [...TARGETS, LOADERS];
const unknown = positionals.filter((name) => !all.some((target) => target.name === name));
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const say = (line: string) => process.stdout.write(`${line}\n`);

if (values.list) for (const { name, promise } of all) say(`${name.padEnd(8)} ${promise}`);
else if (unknown.length > 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  say(`Targets: ${all.map(({ name }) => name).join(', ')}. --seconds and --seed take numbers.`);
  process.exitCode = 2;
} else await fuzzAll();

async function fuzzAll(): Promise<void> {
  const each = seconds / (chosen.length + (wanted(LOADERS.name) ? 1 : 0));
  say(`seed ${seed}, ${each.toFixed(1)} s for each target`);
  for (const target of chosen) {
    const until = performance.now() + each * 1000;
    const { inputs, finding } = await fuzz(target, seed, () => performance.now() < until);
    say(
      `${target.name.padEnd(8)} ${String(inputs).padStart(9)} inputs  ${finding === null ? 'kept' : 'BROKEN'}`,
    );
    if (finding === null) continue;
    const file = join(tmpdir(), `sallyport-fuzz-${target.name}-${seed}-${finding.number}`);
    writeFileSync(file, finding.input);
    say(`  input ${finding.number}, in ${file}; again with: npm run fuzz -- --seed ${seed} ${target.name}`);
    say(`  ${finding.fault instanceof Error ? finding.fault.stack : String(finding.fault)}`);
    process.exitCode = 1;
  }
  if (wanted(LOADERS.name)) await fuzzModelFiles(each);
}

async function fuzzModelFiles(each: number): Promise<void> {
  const outcome = await fuzzLoaders({ seed, inputs: 0, seconds: each });
  if ('missing' in outcome) {
    say(`${LOADERS.name.padEnd(8)} skipped: ${outcome.missing}`);
    return;
  }
  const { kept, inputs, output } = outcome;
  say(`${LOADERS.name.padEnd(8)} ${String(inputs).padStart(9)} inputs  ${kept ? 'kept' : 'BROKEN'}`);
  say(output.trimEnd().replace(/^/gm, '  '));
  if (!kept) process.exitCode = 1;
}
