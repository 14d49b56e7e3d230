import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

export const sinkAdd = defineCommand({
  name: 'alert sink add',
  summary: 'Send alerts to a webhook (signed per Standard Webhooks) or into a file.',
  arguments: [{ name: 'NAME', help: 'Name of the sink.' }],
  options: {
    webhook: { type: 'string', value: 'URL', help: 'Address of the webhook.' },
    file: { type: 'string', value: 'NAME', help: 'Name of a file in the data folder, one alert a line.' },
    'allow-private': { type: 'boolean', help: 'The webhook may live in private ranges.' },
    severity: {
      type: 'string',
      value: 'LEVEL',
      help: 'From this one on: low (default), medium, high or critical.',
    },
  },
  examples: [
    'sallyport alert sink add siem --webhook https://siem.example.com/hook --severity medium',
    'sallyport alert sink add local --file alerts.jsonl',
  ],
  async run({ client, output, args, values }) {
    const { webhook, file } = values;
    if ((webhook === undefined) === (file === undefined))
      throw usageFault('Name exactly one of --webhook and --file.');
    if (file !== undefined && values['allow-private'])
      throw usageFault('--allow-private goes with --webhook.');
    const options =
      webhook === undefined
        ? { file }
        : { url: webhook, ...(values['allow-private'] ? { allowPrivate: true } : {}) };
    const made = await client.post('/sinks', {
      name: argument(args, 0),
      kind: webhook === undefined ? 'file' : 'webhook',
      options,
      minSeverity: values.severity ?? 'low',
    });
    if (made.secret === null) output.result(made, `Alerts go to ${argument(args, 0)}.`);
    else {
      output.result(made, 'Signing secret (shown once, give it to the receiver):');
      output.say(textOf(made.secret));
    }
    return undefined;
  },
});
