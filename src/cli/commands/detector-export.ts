import { join } from 'node:path';
import { defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import { LineSink } from './line-sink.ts';

export const detectorExport = defineCommand({
  name: 'detector export',
  summary:
    'Live sessions that were recorded on this machine (detector.record), as `detector replay` reads them.',
  options: {
    out: { type: 'string', value: 'FILE', help: 'Where they go, one a line; default: standard output.' },
    session: { type: 'string', value: 'SID', help: 'That session alone.' },
    since: { type: 'string', value: 'TIME', help: 'What was recorded from then on, such as 2026-11-23.' },
  },
  examples: ['sallyport detector export --out sessions.jsonl', 'sallyport detector export --session sid_7'],
  async run({ values, output, state }) {
    const since = values.since === undefined ? 0 : Date.parse(values.since);
    if (Number.isNaN(since))
      throw usageFault('--since is a time, such as 2026-11-23 or 2026-11-23T12:00:00Z.');
    const directory = join(state.config.paths.data, 'recordings');
    const { exportTraces, TraceError } = await import('../../detector/index.ts');
    try {
      const traces = await exportTraces(directory, {
        since,
        ...(values.session === undefined ? {} : { sid: values.session }),
      });
      const sink = new LineSink(values.out, output);
      for (const trace of traces) await sink.write(trace);
      await sink.end();
      output.note(`${traces.length} sessions.`);
    } catch (cause) {
      if (cause instanceof TraceError)
        throw stateFault(cause.message, 'Take the line out and try again.', cause);
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
        throw stateFault(
          'Nothing was recorded on this machine.',
          'Turn recording on with detector.record.enabled, and restart the gate.',
          cause,
        );
      throw cause;
    }
    return undefined;
  },
});
