import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineBareCommand } from '../command.ts';
import { rowOf, textOf } from '../output.ts';
import { PROGRAM_ROOT } from '../program-root.ts';

export const version = defineBareCommand({
  name: 'version',
  summary: 'Show the version.',
  examples: ['sallyport version'],
  async run({ output }) {
    const found: unknown = JSON.parse(readFileSync(join(PROGRAM_ROOT, 'package.json'), 'utf8'));
    const number = textOf(rowOf(found).version);
    output.result(
      { version: number, node: process.versions.node },
      `sallyport ${number} (Node ${process.versions.node})`,
    );
    return undefined;
  },
});
