import { defineCommand } from '../command.ts';
import { LineSink } from './line-sink.ts';
import { REPLAY_OPTIONS } from './replay-options.ts';

export const detectorScore = defineCommand({
  name: 'detector score',
  summary: 'Score texts as tools would return them, each in a session of its own.',
  arguments: [
    { name: 'FILE', repeats: true, help: 'Texts (`id`, `text`), one JSON object a line; may be gzip’d.' },
  ],
  options: REPLAY_OPTIONS,
  examples: ['sallyport detector score texts.jsonl --out scores.jsonl'],
  async run({ args, values, output, state }) {
    const [{ readLines, textSchema }, { withReplay }] = await Promise.all([
      import('../../detector/index.ts'),
      import('./replay.ts'),
    ]);
    await withReplay(values, state, async (replay) => {
      const sink = new LineSink(values.out, output);
      let flagged = 0;
      let count = 0;
      for (const file of args) {
        for await (const text of readLines(file, textSchema)) {
          const line = await replay.text(text);
          count += 1;
          if (line.decision !== 'allow') flagged += 1;
          await sink.write(line);
        }
      }
      await sink.end();
      output.note(`${count} texts, ${flagged} flagged.`);
    });
    return undefined;
  },
});
