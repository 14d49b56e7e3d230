import { readFileSync } from 'node:fs';
import { argument, defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import { rowsOf, textOf } from '../output.ts';

export const policyExplain = defineCommand({
  name: 'policy explain',
  summary: 'Why the policies in force would allow, hold or deny a call.',
  arguments: [{ name: 'TARGET', optional: true, help: 'SERVICE/path, or the name of a tool with --tool.' }],
  options: {
    agent: { type: 'string', value: 'NAME', help: 'Name of the agent.' },
    owner: { type: 'string', value: 'WHO', help: 'Its owner.' },
    scope: { type: 'string', multiple: true, value: 'SCOPE', help: 'A scope of its passport.' },
    method: { type: 'string', short: 'X', value: 'METHOD', help: 'Default: GET.' },
    tool: { type: 'boolean', help: 'TARGET is a tool.' },
    risk: { type: 'string', value: '0-100', help: 'Risk of the session; default: 0.' },
    file: { type: 'string', value: 'FILE', help: 'A whole sample as JSON, in the form of *.cases.yaml.' },
  },
  examples: [
    'sallyport policy explain github/repos/acme/app --agent builder --scope github:read',
    'sallyport policy explain shell.exec --tool --agent builder',
    'sallyport policy explain --file sample.json',
  ],
  async run({ client, args, values, output }) {
    const request = values.file === undefined ? sampleOf(args, values) : readSample(values.file);
    const found = await client.post('/policies/explain', { request });
    output.result(found, `${textOf(found.effect)}: ${textOf(found.reason)}`);
    for (const { id, line } of rowsOf(found.determining))
      output.say(`  decided by ${textOf(id)} (line ${textOf(line)})`);
    for (const { id } of rowsOf(found.couldPermit)) output.say(`  could have allowed it: ${textOf(id)}`);
    return undefined;
  },
});

function sampleOf(
  args: readonly string[],
  o: {
    readonly agent: string | undefined;
    readonly owner: string | undefined;
    readonly scope: readonly string[];
    readonly method: string | undefined;
    readonly tool: boolean;
    readonly risk: string | undefined;
  },
): object {
  if (args.length === 0 || o.agent === undefined)
    throw usageFault('policy explain needs TARGET and --agent, or --file.');
  if (o.risk !== undefined && !/^(100|\d{1,2})$/.test(o.risk)) throw usageFault('--risk is 0 to 100.');
  return {
    agent: { name: o.agent, scopes: o.scope, ...(o.owner === undefined ? {} : { owner: o.owner }) },
    call: o.tool ? { tool: argument(args, 0) } : callOf(argument(args, 0), o.method),
    ...(o.risk === undefined ? {} : { risk: Number(o.risk) }),
  };
}

function callOf(target: string, method = 'GET'): object {
  const [service = '', ...path] = target.replace(/^\/s\//, '').split('/');
  return { service, method: method.toUpperCase(), path: `/${path.join('/')}` };
}

function readSample(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw stateFault(`${file} is not a JSON file.`, 'Check the name after --file.', cause);
  }
}
