import type { ReplayLine } from '../../detector/index.ts';
import { defineCommand } from '../command.ts';
import { stateFault } from '../fault.ts';
import type { Column } from '../output.ts';
import { REPLAY_OPTIONS } from './replay-options.ts';

const COLUMNS: readonly Column[] = [
  ['EVENT', 'event'],
  ['SCORE', 'score'],
  ['DECISION', 'decision'],
  ['PART', 'part'],
  ['CHECK', 'check'],
  ['EVIDENCE', 'evidence'],
];

const { out: _out, ...OPTIONS } = REPLAY_OPTIONS;

export const detectorExplain = defineCommand({
  name: 'detector explain',
  summary: 'Show what each check said of a recorded session, and its part in the score.',
  arguments: [{ name: 'FILE', help: 'Sessions, one JSON object a line; may be gzip’d.' }],
  options: {
    ...OPTIONS,
    session: { type: 'string', value: 'ID', help: 'Id of the session; default: the first of the file.' },
  },
  examples: ['sallyport detector explain sessions.jsonl --session s-17'],
  async run({ args, values, output, state }) {
    const [file = ''] = args;
    const [{ readLines, traceSchema }, { withReplay }] = await Promise.all([
      import('../../detector/index.ts'),
      import('./replay.ts'),
    ]);
    await withReplay(values, state, async (replay) => {
      for await (const trace of readLines(file, traceSchema)) {
        if (values.session !== undefined && trace.id !== values.session) continue;
        const rows = [];
        for await (const line of replay.trace(trace)) rows.push(...explained(line));
        output.list(rows, COLUMNS, 'No check has anything to say of this session.');
        return;
      }
      throw stateFault(`${file} holds no session ${values.session ?? ''}.`, 'Look at the `id` of its lines.');
    });
    return undefined;
  },
});

/**
 * The parts that findings have in a score of 1 − ∏(1 − score): shares of its logarithm, in which independent evidence
 * adds up.
 */
function explained({ seq, phase, score, decision, findings }: ReplayLine): Record<string, unknown>[] {
  const weights = findings.map((one) => -Math.log(1 - Math.min(one.score, 0.999_999)));
  const whole = weights.reduce((sum, one) => sum + one, 0);
  return findings.map(({ check, score: own, evidence }, index) => ({
    event: `${phase} ${seq}`,
    score: score.toFixed(2),
    decision,
    part: whole === 0 ? '-' : `${own.toFixed(2)} (${Math.round((100 * (weights[index] ?? 0)) / whole)} %)`,
    check,
    evidence,
  }));
}
