import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { PROGRAM_ROOT } from '../state.ts';

const packageFile = z.looseObject({ version: z.string() });

export const version = defineCommand({
  name: 'version',
  summary: 'Show the version.',
  examples: ['sallyport version'],
  async run({ output }) {
    const found = packageFile.parse(JSON.parse(readFileSync(join(PROGRAM_ROOT, 'package.json'), 'utf8')));
    const { version: number } = found;
    output.result(
      { version: number, node: process.versions.node },
      `sallyport ${number} (Node ${process.versions.node})`,
    );
    return undefined;
  },
});
