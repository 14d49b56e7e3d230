import { COMMON_OPTIONS } from './arguments.ts';
import type { Command, OptionSpecs } from './command.ts';
import { loadCommands } from './commands/index.ts';
import { optionLines, usageOf } from './help.ts';

const HEAD = `# sallyport

Generated from src/cli/commands by \`npm run docs\`.

\`./bin/sallyport\` works in a clone before any install. It speaks with the service over the admin API
([admin-api.md](admin-api.md)); \`init\`, \`up\`, \`demo\`, \`policy check\`, \`policy test\`, \`audit verify\` and the
\`--directory\` forms need none.

**Admin token**: \`--token-file\`, else \`SALLYPORT_ADMIN_TOKEN\`, else \`keys/admin-token\` of the state folder, where
\`sallyport login\` and a first start without a terminal put it (mode 0600). It is never sent through a proxy, and
never over plain HTTP to another machine. Programs of the same user can read the file: run agents as a user of
their own.

**Agent key**: \`agent add\` keeps it in \`keys/agents/<name>.json\` (mode 0600); \`call\` and \`run\` find it by
\`--agent\`, \`SALLYPORT_AGENT\`, or because it is the only one.

**Output**: tables for people; with \`--json\` one JSON value (lists as \`{"items": […]}\`, faults on standard error as
\`{"error": {"code", "message", "remedy", "details"}}\`). Control characters in what agents wrote are escaped.
Secrets are shown once, where they are made, and never taken from the command line.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the gate, the service or a check said no |
| 2 | the command line can't be read |
| 3 | the service can't be reached |
| 4 | settings or files of this machine are missing, broken or readable by others |
| 5 | what was waited for has not happened yet |
| 70 | a fault of Sallyport |
| 126, 127 | \`run\`: the command can't be executed, is not found |

\`run\` ends with the exit code of its command. Everywhere: ${optionList(COMMON_OPTIONS)}
`;

/** The text of docs/reference/cli.md. */
export async function cliReference(): Promise<string> {
  return `${HEAD}\n${(await loadCommands()).map(describe).join('\n')}`;
}

function describe(command: Command): string {
  const args = command.arguments.map(({ name, help }) => `- \`${name}\`: ${help}`);
  const options = optionLines(command.options).map(([names, help]) => `- \`${names}\`: ${help}`);
  const lines = [...args, ...options];
  return [
    `## ${command.name}`,
    '',
    command.summary,
    '',
    `    ${usageOf(command)}`,
    '',
    ...(lines.length === 0 ? [] : [...lines, '']),
    'Examples:',
    '',
    ...command.examples.map((example) => `    ${example}`),
    '',
  ].join('\n');
}

function optionList(options: OptionSpecs): string {
  return `${optionLines(options)
    .map(([names]) => `\`${names}\``)
    .join(', ')}.`;
}
