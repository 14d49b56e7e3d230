import { defineCommand } from '../command.ts';
import { LineSink } from './line-sink.ts';
import { ChangeReport } from './replay-changes.ts';
import { REPLAY_OPTIONS } from './replay-options.ts';

export const detectorReplay = defineCommand({
  name: 'detector replay',
  summary: 'Put recorded sessions to the detector, as if they were live; one score a call and a result.',
  arguments: [{ name: 'FILE', repeats: true, help: 'Sessions, one JSON object a line; may be gzip’d.' }],
  options: {
    ...REPLAY_OPTIONS,
    diff: {
      type: 'string',
      value: 'SCORES',
      help: 'Scores of an earlier replay (its --out): tells which decisions are others now.',
    },
  },
  examples: [
    'sallyport detector replay sessions.jsonl --out scores.jsonl',
    'sallyport detector replay sessions.jsonl --rules new-rules --diff scores.jsonl --out new-scores.jsonl',
    'sallyport detector replay a.traces.jsonl.gz b.traces.jsonl.gz --profile strict --out scores.jsonl',
  ],
  async run({ args, values, output, state }) {
    const [{ Earlier, readLines, traceSchema }, { withReplay }] = await Promise.all([
      import('../../detector/index.ts'),
      import('./replay.ts'),
    ]);
    await withReplay(values, state, async (replay) => {
      const changes = values.diff === undefined ? null : new ChangeReport(await Earlier.read(values.diff));
      // With a comparison, that is what is asked for.
      const sink = changes !== null && values.out === undefined ? null : new LineSink(values.out, output);
      const totals = { sessions: 0, events: 0, hold: 0, deny: 0 };
      for (const file of args) {
        for await (const trace of readLines(file, traceSchema)) {
          totals.sessions += 1;
          for await (const line of replay.trace(trace)) {
            totals.events += 1;
            if (line.decision !== 'allow') totals[line.decision] += 1;
            changes?.add(line);
            await sink?.write(line);
          }
        }
      }
      await sink?.end();
      changes?.tell(output);
      output.note(
        `${totals.sessions} sessions, ${totals.events} events: ${totals.hold} held, ${totals.deny} denied.`,
      );
    });
    return undefined;
  },
});
