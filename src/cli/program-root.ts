import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that this file's clone or package stands in. */
export const PROGRAM_ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
