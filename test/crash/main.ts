import { parseArgs } from 'node:util';
import { CrashRun } from '../support/crash-rounds.ts';
import { DISASTERS } from './disasters/index.ts';

const USAGE = `npm run crash-test -- [--kills N] [--seed N] [--only kills|${DISASTERS.map(({ name }) => name).join('|')}]
Kills the service N times (default 200) at random points of its work and of its starts, then lets its disk be full,
slow and read-only and its clock jump. Exit code 1 when anything that it acknowledged is lost.`;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (values.help || !Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed)) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(values.help ? 0 : 2);
}
const wanted = (name: string) => values.only === undefined || values.only === name;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const failures: string[] = [];

if (wanted('kills')) await kill();
for (const { name, title, run } of DISASTERS) {
  if (!wanted(name)) continue;
  say(`\n${title}`);
  try {
    for await (const line of run()) say(`  ${line}`);
    say(`  ${name}: passed`);
  } catch (fault) {
    failures.push(name);
    say(`  ${name}: FAILED: ${fault instanceof Error ? fault.message : String(fault)}`);
  }
}
say(failures.length === 0 ? '\nNothing was lost.' : `\nFAILED: ${failures.join(', ')}`);
// What is left of a service that a failure cut short must not keep this process.
process.exit(failures.length === 0 ? 0 : 1);

async function kill(): Promise<void> {
  say(`${kills} kills with SIGKILL, seed ${seed}`);
  const begun = performance.now();
  const run = await CrashRun.begin(seed);
  let whole = 0;
  try {
    for (let number = 1; number <= kills; number++) {
      const { when, afterMs, records, broken } = await run.round();
      if (broken === null) whole += 1;
      const verdict = broken === null ? 'chain whole' : `CHAIN BROKEN: ${JSON.stringify(broken)}`;
      say(
        `  ${String(number).padStart(4)}/${kills}  killed while ${when}, after ${Math.round(afterMs)} ms  ${records} records  ${verdict}`,
      );
    }
    const { lost, checked } = await run.losses();
    for (const line of lost) say(`  LOST ${line}`);
    const kinds = Object.entries(checked).map(([kind, count]) => `${count} × ${kind}`);
    say(`  acknowledged and checked: ${kinds.join(', ')}`);
    say(
      `  ${whole} of ${kills} without a broken chain, ${lost.length} losses, in ${Math.round((performance.now() - begun) / 1000)} s`,
    );
    if (whole < kills || lost.length > 0) failures.push('kills');
  } finally {
    await run.end();
  }
}
